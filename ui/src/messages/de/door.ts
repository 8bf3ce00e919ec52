import type { DoorWords } from "../words";
import { plurals } from "../plural";

const plural = plurals("de");

export const door: DoorWords = {
  roles: {
    operator: "Bedienung",
    repair: "Reparatur",
    supervisor: "Schichtleitung",
    custodian: "Schlüsselverwahrung",
    qa: "QS",
    administrator: "Administration",
  },
  ending: {
    idle: { title: "Berühren oder Taste drücken", left: (seconds) => `Sperrt in ${seconds} s` },
    hours: { title: "Berühren hilft nicht", left: (seconds) => `Sitzung endet in ${seconds} s: übergeben` },
  },
  none: { title: "Anmelden", help: "Ausweis scannen oder Personal-ID eintippen." },
  away: {
    title: "Gesperrt",
    help: "Dieselbe oder die nächste Person: Ausweis scannen oder Personal-ID eintippen.",
  },
  expired: { title: "Neu anmelden", help: "Eine Sitzung dauert höchstens 12 Stunden. Ausweis scannen." },
  handOver: { title: "Übergabe", help: "Wer übernimmt, scannt den Ausweis. Die Linie läuft weiter." },
  approve: {
    title: "Zweite Person",
    help: "Eine andere Person scannt den Ausweis oder tippt die Personal-ID ein.",
  },
  atStation: "An der Station",
  wasAtStation: "War an der Station",
  thisShift: (done, failed) => `Diese Schicht: ${done} fertig · ${failed} Fehler`,
  changeMyPin: "Meine PIN ändern",
  signOut: "Abmelden",
  cancel: "Abbrechen",
  back: "Zurück",
  entry: {
    scanned: "Ausweis gelesen",
    pin: "PIN eintippen",
    pinName: "PIN",
    noBadge: "Das war kein Ausweis. Noch einmal scannen.",
    scanInPin: "Das war der Scanner. Die PIN von Hand eintippen.",
    checking: "Wird geprüft…",
    next: "Weiter",
    other: "Andere Person",
    id: "Personal-ID",
    digits: "Ziffern",
    erase: "Löschen",
    enter: "Enter",
    typed: (label, n) =>
      plural(n, { one: `${label}: ${n} Ziffer eingetippt`, other: `${label}: ${n} Ziffern eingetippt` }),
    scanBadge: "Ausweis scannen",
    forget: "Verwerfen",
  },
  answer: {
    wrong: "Ausweis, Personal-ID oder PIN ist falsch.",
    wait: "Zu viele falsche PINs.",
    lockedOut: "Zehn falsche PINs: dieses Konto ist gesperrt.",
    lockedOutStep: "Zwei Personen der Administration geben eine neue Einmal-PIN.",
    refused: "Nicht angenommen.",
    triesLeft: (n) => plural(n, { one: `Noch ${n} Versuch.`, other: `Noch ${n} Versuche.` }),
    waitMinutes: (n) => `${n} min warten`,
    waitSeconds: (n) => `${n} s warten`,
  },
  newPin: {
    first: "Neue PIN: 6 bis 12 Ziffern",
    again: "Dieselbe PIN noch einmal",
    differ: "Die beiden waren nicht gleich. Von vorn.",
    rule: "Keine Reihe, keine wiederholte Ziffer, nicht die eigene Nummer.",
    set: "PIN gesetzt",
    scanner: "Das war der Scanner. Die PIN von Hand eintippen.",
  },
  changing: {
    title: "PIN ändern",
    must: "Das ist eine Einmal-PIN. Eine wählen, die nur Sie kennen.",
    own: "Eine PIN wählen, die nur Sie kennen.",
    old: "Bisherige PIN",
  },
  begin: {
    title: "Erster Start",
    help: "Diese Station hat noch kein Konto. Zwei Personen übernehmen die Administration, beide hier, jede mit eigener PIN.",
    first: "Erste Person der Administration",
    second: "Zweite Person der Administration",
    deed: "Mit diesen beiden beginnen",
    nextPin: "Weiter: PIN",
    noBadgeYet: "Noch kein Ausweis",
    change: "Ändern",
    later: "Kommt danach",
  },
  fields: {
    name: "Name, steht nicht im Protokoll",
    badge: "Ausweis scannen, oder später geben",
  },
};

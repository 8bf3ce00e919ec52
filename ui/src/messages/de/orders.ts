import { plurals } from "../plural";
import type { OrdersWords } from "../words";

const plural = plurals("de");

export const orders: OrdersWords = {
  states: { waiting: "Wartet", open: "Offen", closed: "Geschlossen" },
  means: {
    waiting: "Darunter wird jetzt nichts gefertigt.",
    open: "Jedes neue Gerät wird darunter gefertigt.",
    closed: "Er ist endgültig geschlossen.",
  },
  title: "Aufträge",
  none: "Es gibt noch keinen Auftrag.",
  scan: "Code eines Auftrags scannen oder einen wählen.",
  of: (passed, quantity) => `${passed} von ${quantity}`,
  bar: (passed, quantity) => `${passed} von ${quantity} Geräten bestanden`,
  counts: {
    left: (n) => `${n} Plätze frei`,
    failed: (n) => `${n} Fehler`,
    open: (n) => `${n} ungeklärt`,
    scrapped: (n) => `${n} ausgemustert`,
  },
  page: {
    title: "Auftrag",
    customer: "Kunde",
    profile: "Profil",
    days: "Tage, UTC",
    key: "Gruppenschlüssel",
    devices: "Geräte",
    signed: "Unterschrieben von",
    notSigned: "niemand",
    by: "Gebracht von",
    any: "jedes Gerät",
    maker: (list) => `Hersteller ${list}`,
    form: (form) => `Seriennummer ${form}`,
    listed: (n, shown) =>
      plural(n, { one: `${shown} Gerät einer Liste`, other: `${shown} Geräte einer Liste` }),
    supervisor: "Die Schichtleitung schließt ihn, mustert Geräte aus und lässt mehr zu.",
  },
  missing: {
    title: "Verbleib offen",
    begun: "Begonnen, weder bestanden noch ausgemustert",
    neverSeen: "Auf der Liste, nie gesehen",
    more: (n) => `und ${n} weitere`,
    none: "Der Verbleib jedes begonnenen Geräts ist klar.",
    short: (n, shown) =>
      plural(n, { one: `${shown} Gerät fehlt zur Menge`, other: `${shown} Geräte fehlen zur Menge` }),
    scrap: (device) => `${device} ausmustern`,
  },
  open: "Diesen Auftrag öffnen",
  scanAgain: "Enter öffnet ihn, oder derselbe Code noch einmal. Der jetzt offene wartet dann.",
  reason: "Grund, für das Protokoll",
  deeds: {
    close: {
      name: "Schließen",
      title: "Diesen Auftrag schließen",
      says: "Er bleibt geschlossen. Weniger Geräte als bestellt: das braucht einen Grund.",
      ask: "Endgültig schließen",
    },
    scrap: {
      name: "Ausmustern",
      title: "Ein Gerät ausmustern",
      says: "Daraus wird unter diesem Auftrag nichts mehr.",
      ask: "Ausmustern",
    },
    raise: {
      name: "Mehr zulassen",
      title: "Mehr Geräte zulassen",
      says: "Eine andere Person stimmt hier zu. Die Menge sinkt danach nie mehr.",
      ask: "Zweite Person fragen",
    },
  },
  device: "Registrierungs-ID, MAC-Adresse oder Seriennummer: scannen oder eingeben",
  unseen: "Alle der Liste, die niemand sah",
  quantity: "So viele Geräte von jetzt an",
  making: {
    name: "Neuer Auftrag",
    title: "Neuer Auftrag",
    file: {
      title: "Aus seiner Datei",
      says: "Der Text des Auftrags, oder die Notiz mit der Unterschrift des Kunden.",
      deed: "Datei wählen",
    },
    list: {
      title: "Aus einer Geräteliste",
      says: "Eine Tabelle als CSV mit den Spalten serial und mac, oder einer davon.",
      deed: "Liste wählen",
    },
    asking: "Datei in ihrem eigenen Fenster wählen",
    cancelled: "Keine Datei gewählt: es gibt keinen neuen Auftrag.",
    id: "ID des Auftrags",
    customer: "Kunde",
    profile: "Datei des Produktprofils",
    key: "Name des Gruppenschlüssels",
    checkValue: "Prüfwert, vom Papier",
    from: "Erster Tag, UTC",
    until: "Letzter Tag, UTC",
    quantity: "Geräte; leer: so viele wie die Liste hat",
  },
};

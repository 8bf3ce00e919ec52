import { told } from "../told";
import type { CauseWords, FailureWords, SafetyWords } from "../words";

export const safety: SafetyWords = {
  untouched: "Auf das Gerät wurde nichts geschrieben.",
  "not-keyed": "Das Gerät hat den neuen Schlüssel nicht angenommen.",
  unknown: "Das Gerät hat vielleicht einen Schlüssel. Nicht ausliefern: neu einstecken.",
  unrecorded:
    "Das Gerät hat seinen Schlüssel, sein Eintrag ist nicht vollständig. Nicht ausliefern: neu einstecken.",
};

const again = "Gerät neu einstecken.";
const repair = "Wieder: zur Reparatur.";
const apart = "Gerät beiseitelegen.";

export const failures: FailureWords = {
  unplugged: told("Das Gerät wurde ausgesteckt.", "Kabel prüfen.", again),
  silent: told(
    "Das Gerät antwortet nicht.",
    "Hat das Gerät Strom?",
    again,
    "Immer noch stumm: zur Reparatur.",
  ),
  garbled: told(
    "Das Gerät antwortet, aber nicht nach Protokoll.",
    again,
    "Wieder: Version der Firmware prüfen.",
  ),
  unsupported: told(
    "Das Gerät spricht ein Protokoll, das diese Station nicht kennt.",
    "Firmware des Geräts prüfen.",
    "Produktprofil prüfen.",
  ),
  refused: told("Das Gerät hat den Befehl abgelehnt.", again, repair),
  "storage-failed": told("Das Gerät konnte den Schlüssel nicht speichern.", again, repair),
  locked: told(
    "Das Gerät ist verriegelt: seine Fertigung war schon abgeschlossen.",
    "Ausstecken.",
    "Soll es einen neuen Schlüssel bekommen: zur Reparatur.",
  ),
  "no-identity": told(
    "Das Gerät hat keine brauchbare MAC-Adresse oder Seriennummer.",
    "Ausstecken.",
    "Zur Reparatur: Identität nie programmiert, oder vom Profil nicht erlaubt.",
  ),
  "already-keyed": told(
    "Das Gerät hat schon einen Schlüssel.",
    "Ausstecken.",
    "Soll es einen neuen bekommen: zur Reparatur.",
  ),
  "foreign-key": told(
    "Das Gerät hat einen Schlüssel, den hier kein Eintrag erklärt.",
    apart,
    "Schichtleitung rufen.",
  ),
  "already-recorded": told(
    "Diese MAC-Adresse und Seriennummer hatte schon einen Schlüssel, das Gerät aber hat keinen.",
    apart,
    "Schichtleitung rufen: gelöschte Platine oder Kopie?",
  ),
  twin: told(
    "An einem anderen Platz ist ein Gerät mit derselben MAC-Adresse und Seriennummer.",
    "Beide Geräte beiseitelegen.",
    "Schichtleitung rufen: eines davon ist eine Kopie.",
  ),
  "other-key": told(
    "Mit einem anderen Gruppenschlüssel wurde hier zu schreiben begonnen und nie geklärt, was daraus wurde.",
    "Dort einstecken, wo jener Gruppenschlüssel aktiv ist.",
    "Geht nicht: zur Reparatur.",
  ),
  "not-proven": told("Das Gerät konnte nicht nachweisen, dass es den Schlüssel hat.", again, repair),
  "not-kept": told("Der Schlüssel war nach dem Neustart weg.", again, repair),
  "not-written": told("Ein früheres Schreiben wurde begonnen und kam nie beim Gerät an.", again, repair),
  "not-restarted": told("Das Gerät ist nicht neu gestartet.", again, repair),
  swapped: told(
    "Nach dem Schreiben antwortete ein anderes Gerät.",
    "Alle Geräte am Platz beiseitelegen.",
    "Schichtleitung rufen.",
  ),
  "port-unavailable": told(
    "Der Anschluss lässt sich nicht öffnen.",
    "Kabel prüfen.",
    "Andere Programme schließen, die ihn benutzen.",
    again,
  ),
  "not-permitted": told(
    "Niemand ist angemeldet, der Geräten Schlüssel geben darf.",
    "Bedienung, Reparatur oder Schichtleitung meldet sich an.",
    again,
  ),
  "vault-locked": told("Der Tresor ist gesperrt.", "Tresor entsperren.", again),
  "vault-failed": told(
    "Der Tresor kann den Gruppenschlüssel nicht verwenden.",
    "Halt.",
    "Schlüsselverwahrung rufen.",
  ),
  "key-inactive": told(
    "Der Gruppenschlüssel ist nicht aktiv: kein Gerät bekommt einen Schlüssel daraus.",
    "Ist die Fertigung auf einen anderen Schlüssel gewechselt?",
    "Ausgesetzt: Schichtleitung fragen, warum.",
    "Zwei Personen der Schlüsselverwahrung aktivieren ihn unter „Schlüssel“.",
  ),
  unsecured: told(
    "Das Protokoll war zu lange nicht gesichert: es wird nichts Neues begonnen.",
    "QS rufen: ein Zeuge muss das Protokoll sehen.",
    again,
  ),
  "space-low": told(
    "Der Datenträger des Protokolls ist zu voll: kein neues Gerät wird begonnen.",
    "Gerät behalten.",
    "Administration rufen: Platz schaffen, dann die Station neu starten.",
  ),
  "clock-doubted": told(
    "Die Uhr dieser Station ging rückwärts: kein neues Gerät wird begonnen.",
    "Gerät behalten.",
    "Administration rufen: Uhr richtig stellen.",
    "Administration und eine zweite Person bestätigen dann die Zeit.",
  ),
  unlisted: told(
    "Das Gerät gehört nicht zum Auftrag.",
    apart,
    "Etikett mit dem Auftrag vergleichen.",
    "Schichtleitung rufen.",
  ),
  "wrong-oui": told(
    "Die MAC-Adresse gehört zu einem anderen Hersteller, als der Auftrag erlaubt.",
    apart,
    "Schichtleitung rufen: anderes Produkt, oder nie programmiert?",
  ),
  "wrong-serial": told(
    "Die Seriennummer hat eine andere Form, als der Auftrag verlangt.",
    apart,
    "Schichtleitung rufen: anderes Produkt, oder falsch programmiert?",
  ),
  "no-label": told("Das Etikett des Geräts wurde nicht gescannt.", "Etikett scannen.", again),
  "wrong-label": told(
    "Das gescannte Etikett gehört nicht zu diesem Gerät.",
    "Prüfen, welches Etikett zu welchem Gerät gehört.",
    "Richtiges Etikett scannen.",
    again,
  ),
  "other-board": told(
    "Seriennummer oder MAC-Adresse bekam schon einen Schlüssel, auf einer anderen Platine.",
    apart,
    "Schichtleitung rufen: eine neue Platine ist Sache der Reparatur.",
  ),
  scrapped: told(
    "Das Gerät wurde ausgemustert.",
    apart,
    "Schichtleitung rufen: Wer hat es zurückgelegt?",
    "Ein Versehen: Reparatur und Schichtleitung nehmen es zurück.",
  ),
  revoked: told(
    "Die Identität des Geräts ist widerrufen: Es darf keinen Schlüssel mehr bekommen.",
    apart,
    "Schichtleitung rufen: Das gilt für immer, nur eine andere Identität ist möglich.",
  ),
  replaced: told(
    "Eine andere Platine hat den Platz von dieser.",
    apart,
    "Schichtleitung rufen: Diese Platine sollte vernichtet sein.",
  ),
  moved: told(
    "Der Anschluss des Platzes wechselte, während das Gerät darin war.",
    "Gerät an seinem Platz lassen.",
    "Neu einstecken.",
    "Wieder: Schichtleitung rufen.",
  ),
  "no-order": told("Kein Auftrag ist offen.", "Die Schichtleitung öffnet den Auftrag.", again),
  "order-full": told(
    "Der Auftrag ist voll: so viele Geräte wie vorgesehen sind begonnen.",
    "Halt.",
    "Schichtleitung rufen: Karton zählen, dann Auftrag schließen.",
  ),
  "same-key": told(
    "Das Gerät bekäme den Schlüssel, den es schon hat: das heilt hier nichts.",
    "Profil mit anderem Gruppenschlüssel nehmen, oder dem Gerät eine andere ID geben: Platinentausch.",
    "Doch so gemeint: noch einmal anfragen und es sagen.",
  ),
  "not-of-batch": told(
    "Das Gerät steht nicht auf der Liste der Serie.",
    "Gerät beiseitelegen.",
    "Etikett mit der Liste vergleichen.",
    "Schichtleitung rufen.",
  ),
  "never-keyed": told(
    "Das Gerät hat keinen Schlüssel, und kein Eintrag sagt, dass es je einen hatte.",
    "Zu den neuen Geräten legen: Den ersten Schlüssel gibt die Linie.",
  ),
  "already-rekeyed": told(
    "Das Gerät hat in dieser Serie schon einen neuen Schlüssel.",
    "Zu den fertigen legen.",
    "Nächstes Gerät einstecken.",
  ),
  "batch-full": told(
    "Die Serie ist voll: so viele Geräte wie genehmigt sind begonnen.",
    "Halt.",
    "Schichtleitung rufen: Geräte zählen, dann Serie schließen.",
  ),
  "batch-closed": told(
    "Die Serie ist geschlossen.",
    "Gerät behalten.",
    "Den Rest als eigene Serie genehmigen lassen.",
  ),
  "batch-terms": told(
    "Das Gerät würde anders beschrieben, als die Serie genehmigt ist: Schlüssel, Profil oder Endpunkt ist ein anderer.",
    "Halt.",
    "Profil wiederherstellen, oder Serie schließen und eine andere genehmigen lassen.",
    "QS informieren.",
  ),
  "unknown-key": told(
    "Kein Eintrag hier sagt, welchen Schlüssel das Gerät hat: ob es einen anderen bekäme, weiß niemand.",
    "Dort nachsehen, wo es seinen Schlüssel bekam: jenes Protokoll kennt ihn.",
    "Doch so gemeint: noch einmal anfragen und sagen, dass es derselbe sein darf.",
  ),
  collision: told(
    "Zwei Geräte bekämen denselben Schlüssel.",
    "Linie anhalten.",
    "Gerät beiseitelegen.",
    "Schlüsselverwahrung und QS rufen: der Schlüssel leitet falsch ab.",
  ),
  "log-failed": told(
    "Das Protokoll lässt sich nicht schreiben.",
    "Halt.",
    "Administration rufen: Datenträger und Protokoll prüfen.",
  ),
};

/** The same in a word or two, for charts. */
export const causes: CauseWords = {
  unplugged: "Ausgesteckt",
  silent: "Stumm",
  garbled: "Unverständlich",
  unsupported: "Unbekanntes Protokoll",
  refused: "Befehl abgelehnt",
  "storage-failed": "Speicherfehler",
  locked: "Verriegelt",
  "no-identity": "Keine Identität",
  "already-keyed": "Hat schon Schlüssel",
  "foreign-key": "Fremder Schlüssel",
  "already-recorded": "Schon eingetragen",
  twin: "Doppelt",
  "other-key": "Anderer Schlüssel",
  "not-proven": "Nicht nachgewiesen",
  "not-kept": "Nicht behalten",
  "not-written": "Nicht geschrieben",
  "not-restarted": "Kein Neustart",
  swapped: "Vertauscht",
  "port-unavailable": "Anschluss fehlt",
  "not-permitted": "Nicht erlaubt",
  "vault-locked": "Tresor gesperrt",
  "vault-failed": "Tresorfehler",
  "key-inactive": "Schlüssel inaktiv",
  unsecured: "Nicht gesichert",
  "space-low": "Speicher voll",
  "clock-doubted": "Uhr zweifelhaft",
  unlisted: "Nicht im Auftrag",
  "wrong-oui": "Falscher Hersteller",
  "wrong-serial": "Falsche Seriennr.",
  "no-label": "Kein Etikett",
  "wrong-label": "Falsches Etikett",
  "other-board": "Andere Platine",
  scrapped: "Ausgemustert",
  revoked: "Widerrufen",
  replaced: "Ersetzt",
  moved: "Umgesteckt",
  "no-order": "Kein Auftrag",
  "order-full": "Auftrag voll",
  "same-key": "Derselbe Schlüssel",
  "not-of-batch": "Nicht auf der Liste",
  "never-keyed": "Nie mit Schlüssel",
  "already-rekeyed": "Schon fertig",
  "batch-full": "Serie voll",
  "batch-closed": "Serie geschlossen",
  "batch-terms": "Anders genehmigt",
  "unknown-key": "Schlüssel unbekannt",
  collision: "Gleicher Schlüssel",
  "log-failed": "Protokollfehler",
};

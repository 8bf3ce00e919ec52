import type { DoorWords } from "../words";
import { plurals } from "../plural";

const plural = plurals("es");

export const door: DoorWords = {
  roles: {
    operator: "Operación",
    repair: "Reparación",
    supervisor: "Supervisión",
    custodian: "Custodia",
    qa: "Calidad",
    administrator: "Administración",
  },
  ending: {
    idle: { title: "Toque, o pulse una tecla", left: (seconds) => `Se bloquea en ${seconds} s` },
    hours: {
      title: "Tocar no sirve",
      left: (seconds) => `La sesión acaba en ${seconds} s: haga el relevo`,
    },
  },
  none: { title: "Iniciar sesión", help: "Escanee su tarjeta o escriba su ID." },
  away: {
    title: "Bloqueada",
    help: "La misma persona o la siguiente: escanee la tarjeta o escriba el ID.",
  },
  expired: {
    title: "Inicie sesión de nuevo",
    help: "Una sesión dura 12 horas como mucho. Escanee su tarjeta.",
  },
  handOver: { title: "Relevo", help: "Quien releva escanea su tarjeta. La línea sigue en marcha." },
  approve: { title: "Segunda persona", help: "Otra persona escanea su tarjeta o escribe su ID." },
  atStation: "En la estación",
  wasAtStation: "Estaba en la estación",
  thisShift: (done, failed) => `Este turno: ${done} hechos · ${failed} fallidos`,
  changeMyPin: "Cambiar mi PIN",
  signOut: "Cerrar sesión",
  cancel: "Cancelar",
  back: "Volver",
  entry: {
    scanned: "Tarjeta leída",
    pin: "Escriba su PIN",
    pinName: "PIN",
    noBadge: "Eso no era una tarjeta. Escanéela otra vez.",
    scanInPin: "Eso era el escáner. Escriba el PIN a mano.",
    checking: "Comprobando…",
    next: "Siguiente",
    other: "Otra persona",
    id: "ID",
    digits: "Cifras",
    erase: "Borrar",
    enter: "Enter",
    typed: (label, n) =>
      plural(n, { one: `${label}: ${n} cifra escrita`, other: `${label}: ${n} cifras escritas` }),
    scanBadge: "Escanee la tarjeta",
    forget: "Descartar",
  },
  answer: {
    wrong: "La tarjeta, el ID o el PIN son erróneos.",
    wait: "Demasiados PIN erróneos.",
    lockedOut: "Diez PIN erróneos: esta cuenta está bloqueada.",
    lockedOutStep: "Dos personas de Administración dan un nuevo PIN de un solo uso.",
    refused: "No aceptado.",
    triesLeft: (n) => plural(n, { one: `Queda ${n} intento.`, other: `Quedan ${n} intentos.` }),
    waitMinutes: (n) => `Espere ${n} min`,
    waitSeconds: (n) => `Espere ${n} s`,
  },
  newPin: {
    first: "PIN nuevo: de 6 a 12 cifras",
    again: "El mismo PIN otra vez",
    differ: "No eran iguales. Empiece de nuevo.",
    rule: "Ni series, ni cifras repetidas, ni su propio número.",
    set: "PIN puesto",
    scanner: "Eso era el escáner. Escriba el PIN a mano.",
  },
  changing: {
    title: "Cambiar PIN",
    must: "Su PIN es de un solo uso. Elija uno que solo usted conozca.",
    own: "Elija un PIN que solo usted conozca.",
    old: "Su PIN hasta ahora",
  },
  begin: {
    title: "Primer arranque",
    help: "Esta estación no tiene cuentas. Dos personas pasan a administrarla, ambas aquí, cada una con su propio PIN.",
    first: "Primera persona de Administración",
    second: "Segunda persona de Administración",
    deed: "Empezar con estas dos personas",
    nextPin: "Siguiente: PIN",
    noBadgeYet: "Sin tarjeta todavía",
    change: "Cambiar",
    later: "Viene después",
  },
  fields: {
    name: "Nombre, fuera del registro",
    badge: "Escanee la tarjeta, o désela más tarde",
  },
  tones: { title: "Oír los tres tonos", call: "Llamar al supervisor" },
};

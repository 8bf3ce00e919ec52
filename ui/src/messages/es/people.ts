import { plurals } from "../plural";
import type { PeopleWords } from "../words";

const plural = plurals("es");

export const people: PeopleWords = {
  title: "Personas",
  may: {
    operator: "fabrica dispositivos en la línea",
    repair: "examina dispositivos, los vuelve a hacer",
    supervisor: "responde del turno, detiene una clave",
    custodian: "trae claves de grupo, las activa y destruye",
    qa: "comprueba, lee el registro, firma revisiones",
    administrator: "añade personas, pone en orden reloj y registro",
  },
  asked: {
    "add-person": (user, roles) => `Añadir a ${user} como ${roles}`,
    "set-roles": (user, roles) => `Dar a ${user} las funciones: ${roles}`,
    "disable-person": (user) => `Desactivar a ${user}`,
    "enable-person": (user) => `Activar a ${user}`,
    "reset-pin": (user) => `Dar a ${user} un PIN de un solo uso`,
    "set-badge": (user) => `Dar a ${user} otra tarjeta, o ninguna`,
    "import-key": (key, announced) => `Importar la clave de grupo ${key}: ${announced}`,
    "take-transfer": (key, announced) =>
      `Importar la clave de grupo ${key} de su archivo de transferencia: ${announced}`,
    "activate-key": (key, checkValue) =>
      `Activar la clave de grupo ${key}, valor de comprobación ${checkValue}`,
    "destroy-key": (key, checkValue) =>
      `Destruir la clave de grupo ${key}, valor de comprobación ${checkValue}`,
  },
  and: " y ",
  or: " o ",
  announced: (group, scope, slot, checkValue, custody) =>
    `grupo ${group}, ámbito de ID ${scope}, ${slot}, valor de comprobación ${checkValue}, en: ${custody}`,
  fetch: (roles) =>
    `Lo aprueba aquí, con tarjeta y PIN: otra persona con la función ${roles}. Vale un minuto.`,
  reason: (text) => `Motivo: ${text}`,
  qaAlone: "Calidad va sola: quien comprueba no fabrica.",
  administratorAlone: "Administración no fabrica: sola o con Custodia.",
  disabled: "Desactivada",
  lockedOut: "Bloqueada: diez PIN erróneos",
  oneTimePin: "PIN de un solo uso",
  few: "Quedan menos de tres personas en Administración: quien olvide el PIN no podrá tener otro. Nombre ahora a la tercera.",
  reading: "Dos personas de Administración cambian cuentas, en la ventana de la estación.",
  changed: (what, by, time, record) =>
    `Último cambio: ${what}${by === "" ? "" : `, ${by}`}, ${time}, entrada ${record}`,
  with: " con ",
  count: (n, shown) => plural(n, { one: `${shown} persona`, other: `${shown} personas` }),
  add: "Añadir persona",
  everybody: "Todas las cuentas",
  table: {
    user: "ID",
    name: "Nombre",
    roles: "Funciones",
    badge: "Tarjeta",
    account: "Cuenta",
    changed: "Último cambio",
    open: "Abrir",
    hasBadge: "sí",
    noBadge: "ninguna",
  },
  openPerson: (user) => `Abrir ${user}`,
  oneTime: "PIN de un solo uso: de 6 a 12 cifras",
  tellOnly: "Dígalo solo a la persona. Se cambia al iniciar sesión por primera vez.",
  askSecond: "Pedir a la segunda persona de Administración",
  nextOneTime: "Siguiente: PIN de un solo uso",
  person: {
    title: "Persona",
    changeRoles: "Cambiar funciones",
    newBadge: "Tarjeta nueva",
    giveBadge: "Dar una tarjeta",
    resetPin: "Restablecer PIN",
    hasBadge: "Tiene tarjeta",
    noBadge: "Sin tarjeta",
    own: "Es usted. Otros cambian su cuenta; su PIN lo cambia en «Relevo».",
    mayDisable: "Quien se fue, o perdió la tarjeta: con esta cuenta ya no se podrá hacer nada.",
    mayEnable: "La cuenta vuelve como estaba, con su PIN y su tarjeta.",
    disable: "Desactivar",
    enable: "Activar",
    tellOnly: "Dígalo solo a la persona. Se acaba el bloqueo por diez PIN erróneos.",
    scanNew: "Escanee la tarjeta nueva",
    withoutBadge: "Sin tarjeta: inicia sesión con el ID",
    oldBadge: "La tarjeta de hasta ahora deja de valer.",
    reason: "Motivo, para el registro",
    added: "Añadida.",
    done: "Hecho, y anotado en el registro.",
  },
};

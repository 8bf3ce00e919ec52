import { plurals } from "../plural";
import type { OrdersWords } from "../words";

const plural = plurals("es");

export const orders: OrdersWords = {
  states: { waiting: "En espera", open: "Abierta", closed: "Cerrada" },
  means: {
    waiting: "Ahora no se fabrica nada con ella.",
    open: "Todo dispositivo nuevo se fabrica con ella.",
    closed: "Está cerrada para siempre.",
  },
  title: "Órdenes de trabajo",
  none: "Todavía no hay órdenes de trabajo.",
  scan: "Escanee el código de una orden, o elija una.",
  of: (passed, quantity) => `${passed} de ${quantity}`,
  bar: (passed, quantity) => `${passed} de ${quantity} dispositivos pasaron`,
  counts: {
    left: (n) => `${n} plazas libres`,
    failed: (n) => `${n} fallidos`,
    open: (n) => `${n} sin resolver`,
    scrapped: (n) => `${n} desechados`,
  },
  page: {
    title: "Orden de trabajo",
    customer: "Cliente",
    profile: "Perfil",
    days: "Días, UTC",
    key: "Clave de grupo",
    devices: "Dispositivos",
    signed: "Firmada por",
    notSigned: "nadie",
    by: "Traída por",
    any: "todo dispositivo",
    maker: (list) => `fabricante ${list}`,
    form: (form) => `número de serie ${form}`,
    listed: (n, shown) =>
      plural(n, { one: `${shown} dispositivo de una lista`, other: `${shown} dispositivos de una lista` }),
    supervisor: "Supervisión la cierra, desecha dispositivos y permite más.",
  },
  missing: {
    title: "Por justificar",
    begun: "Empezados, ni pasaron ni se desecharon",
    neverSeen: "En la lista, nunca vistos",
    more: (n) => `y ${n} más`,
    none: "Todo dispositivo empezado está justificado.",
    short: (n, shown) =>
      plural(n, {
        one: `Falta ${shown} dispositivo para la cantidad`,
        other: `Faltan ${shown} dispositivos para la cantidad`,
      }),
    scrap: (device) => `Desechar ${device}`,
  },
  open: "Abrir esta orden",
  scanAgain: "Enter la abre, o el mismo código otra vez. La que está abierta ahora espera.",
  reason: "Motivo, para el registro",
  deeds: {
    close: {
      name: "Cerrar",
      title: "Cerrar esta orden",
      says: "Queda cerrada. Si son menos dispositivos que los pedidos, diga por qué.",
      ask: "Cerrar para siempre",
    },
    scrap: {
      name: "Desechar",
      title: "Desechar un dispositivo",
      says: "Ya no se fabrica nada de él con esta orden.",
      ask: "Desechar",
    },
    raise: {
      name: "Permitir más",
      title: "Permitir más dispositivos",
      says: "Otra persona lo aprueba aquí. La cantidad ya no baja.",
      ask: "Pedir a la segunda persona",
    },
  },
  device: "ID de registro, dirección MAC o número de serie: escanee o escriba",
  unseen: "Todos los de la lista que nadie vio",
  quantity: "Tantos dispositivos desde ahora",
  making: {
    name: "Orden nueva",
    title: "Orden de trabajo nueva",
    file: {
      title: "De su archivo",
      says: "El texto de la orden, o la nota que firmó el cliente.",
      deed: "Elegir el archivo",
    },
    list: {
      title: "De una lista de dispositivos",
      says: "Una hoja en CSV con las columnas serial y mac, o una de ellas.",
      deed: "Elegir la lista",
    },
    asking: "Elija el archivo en su propia ventana",
    cancelled: "No se eligió archivo: no hay orden nueva.",
    id: "ID de la orden",
    customer: "Cliente",
    profile: "Archivo del perfil del producto",
    key: "Etiqueta de la clave de grupo",
    checkValue: "Valor de comprobación, del papel",
    from: "Primer día, UTC",
    until: "Último día, UTC",
    quantity: "Dispositivos; vacío: los de la lista",
  },
};

import { told } from "../told";
import type { CauseWords, FailureWords, SafetyWords } from "../words";

export const safety: SafetyWords = {
  untouched: "No se escribió nada en el dispositivo.",
  "not-keyed": "El dispositivo no tomó la clave nueva.",
  unknown: "El dispositivo puede tener una clave. No lo envíe: conéctelo de nuevo.",
  unrecorded: "El dispositivo tiene su clave, su entrada no está completa. No lo envíe: conéctelo de nuevo.",
};

const again = "Conecte el dispositivo de nuevo.";
const repair = "Si se repite: a reparación.";
const apart = "Aparte el dispositivo.";

export const failures: FailureWords = {
  unplugged: told("El dispositivo se desconectó.", "Compruebe el cable.", again),
  silent: told(
    "El dispositivo no responde.",
    "Compruebe que tiene corriente.",
    again,
    "Sigue sin responder: a reparación.",
  ),
  garbled: told(
    "El dispositivo responde, pero no según el protocolo.",
    again,
    "Si se repite: compruebe la versión de su firmware.",
  ),
  unsupported: told(
    "El dispositivo habla un protocolo que esta estación no conoce.",
    "Compruebe el firmware del dispositivo.",
    "Compruebe el perfil del producto.",
  ),
  refused: told("El dispositivo rechazó la orden.", again, repair),
  "storage-failed": told("El dispositivo no pudo guardar la clave.", again, repair),
  locked: told(
    "El dispositivo está sellado: su fabricación ya terminó.",
    "Desconéctelo.",
    "Si necesita otra clave: a reparación.",
  ),
  "no-identity": told(
    "El dispositivo no tiene una dirección MAC o un número de serie utilizables.",
    "Desconéctelo.",
    "A reparación: la identidad nunca se programó o el perfil no la permite.",
  ),
  "already-keyed": told(
    "El dispositivo ya tiene una clave.",
    "Desconéctelo.",
    "Si necesita otra clave: a reparación.",
  ),
  "foreign-key": told(
    "El dispositivo tiene una clave que ninguna entrada explica.",
    apart,
    "Llame a Supervisión.",
  ),
  "already-recorded": told(
    "Esta dirección MAC y este número de serie ya recibieron clave, pero el dispositivo no tiene ninguna.",
    apart,
    "Llame a Supervisión: ¿placa borrada o copia?",
  ),
  twin: told(
    "Otro puesto tiene un dispositivo con la misma dirección MAC y número de serie.",
    "Aparte los dos dispositivos.",
    "Llame a Supervisión: uno de ellos es una copia.",
  ),
  "other-key": told(
    "En este dispositivo se empezó a escribir con otra clave de grupo y nunca se resolvió.",
    "Conéctelo donde esa clave de grupo esté activa.",
    "Si no es posible: a reparación.",
  ),
  "not-proven": told("El dispositivo no pudo probar que tiene la clave.", again, repair),
  "not-kept": told("La clave se perdió al reiniciar.", again, repair),
  "not-written": told("Una escritura anterior empezó y nunca llegó al dispositivo.", again, repair),
  "not-restarted": told("El dispositivo no se reinició.", again, repair),
  swapped: told(
    "Tras escribir respondió otro dispositivo.",
    "Aparte todos los dispositivos del puesto.",
    "Llame a Supervisión.",
  ),
  "port-unavailable": told(
    "No se puede abrir el puerto.",
    "Compruebe el cable.",
    "Cierre otros programas que usen el puerto.",
    again,
  ),
  "not-permitted": told(
    "Nadie con permiso para dar claves ha iniciado sesión.",
    "Operación, Reparación o Supervisión inicia sesión.",
    again,
  ),
  "vault-locked": told("La bóveda está cerrada.", "Abra la bóveda.", again),
  "vault-failed": told("La bóveda no puede usar la clave de grupo.", "Pare.", "Llame a Custodia."),
  "key-inactive": told(
    "La clave de grupo no está activa: ningún dispositivo recibe clave de ella.",
    "¿Se pasó a otra clave?",
    "Suspendida: pregunte el motivo a Supervisión.",
    "Dos personas de Custodia la activan en «Claves».",
  ),
  unsecured: told(
    "El registro lleva demasiado tiempo sin asegurar: no se empieza nada nuevo.",
    "Llame a Calidad: un testigo tiene que ver el registro.",
    again,
  ),
  "space-low": told(
    "El disco del registro está demasiado lleno: no se empieza ningún dispositivo.",
    "Guarde el dispositivo.",
    "Llame a Administración: haga sitio y arranque la estación de nuevo.",
  ),
  "clock-doubted": told(
    "El reloj de la estación fue hacia atrás: no se empieza ningún dispositivo.",
    "Guarde el dispositivo.",
    "Llame a Administración: ponga el reloj en hora.",
    "Administración y otra persona aceptan entonces la hora.",
  ),
  unlisted: told(
    "El dispositivo no es de la orden de trabajo.",
    apart,
    "Compare su etiqueta con la orden de trabajo.",
    "Llame a Supervisión.",
  ),
  "wrong-oui": told(
    "La dirección MAC es de otro fabricante que el que permite la orden de trabajo.",
    apart,
    "Llame a Supervisión: ¿otro producto o nunca programado?",
  ),
  "wrong-serial": told(
    "El número de serie no tiene la forma que pide la orden de trabajo.",
    apart,
    "Llame a Supervisión: ¿otro producto o mal programado?",
  ),
  "no-label": told("No se escaneó la etiqueta del dispositivo.", "Escanee la etiqueta.", again),
  "wrong-label": told(
    "La etiqueta escaneada no es la del dispositivo.",
    "Compruebe qué etiqueta es de qué dispositivo.",
    "Escanee la etiqueta correcta.",
    again,
  ),
  "other-board": told(
    "El número de serie o la dirección MAC ya recibió clave en otra placa.",
    apart,
    "Llame a Supervisión: una placa nueva es cosa de Reparación.",
  ),
  scrapped: told(
    "El dispositivo se dio por desechado.",
    apart,
    "Llame a Supervisión: ¿quién lo devolvió al puesto?",
    "Fue un error: Reparación y Supervisión lo anulan.",
  ),
  revoked: told(
    "La identidad del dispositivo está revocada: no debe recibir clave otra vez.",
    apart,
    "Llame a Supervisión: es definitivo, solo vale otra identidad.",
  ),
  replaced: told(
    "Otra placa ocupa el lugar de esta.",
    apart,
    "Llame a Supervisión: esta placa debía destruirse.",
  ),
  moved: told(
    "El puerto del puesto cambió con el dispositivo dentro.",
    "Deje el dispositivo en su sitio.",
    "Conéctelo de nuevo.",
    "Si se repite: llame a Supervisión.",
  ),
  "no-order": told(
    "No hay ninguna orden de trabajo abierta.",
    "Supervisión abre la orden de trabajo.",
    again,
  ),
  "order-full": told(
    "La orden de trabajo está completa: se empezaron todos sus dispositivos.",
    "Pare.",
    "Llame a Supervisión: cuente la caja y cierre la orden.",
  ),
  "same-key": told(
    "El dispositivo recibiría la clave que ya tiene: aquí eso no remedia nada.",
    "Use un perfil con otra clave de grupo, o dé al dispositivo otro ID: cambio de placa.",
    "Si es lo que se quiere: pídalo de nuevo y dígalo.",
  ),
  "not-of-batch": told(
    "El dispositivo no está en la lista del lote.",
    "Aparte el dispositivo.",
    "Compare su etiqueta con la lista.",
    "Llame a Supervisión.",
  ),
  "never-keyed": told(
    "El dispositivo no tiene clave y ningún registro dice que la tuviera.",
    "Póngalo con los nuevos: la primera clave la da la línea.",
  ),
  "already-rekeyed": told(
    "El dispositivo ya recibió otra clave en este lote.",
    "Póngalo con los terminados.",
    "Conecte el siguiente.",
  ),
  "batch-full": told(
    "El lote está completo: se empezaron todos los dispositivos aprobados.",
    "Pare.",
    "Llame a Supervisión: cuente los dispositivos y cierre el lote.",
  ),
  collision: told(
    "Dos dispositivos tendrían la misma clave.",
    "Pare la línea.",
    "Aparte el dispositivo.",
    "Llame a Custodia y a Calidad: la clave deriva mal.",
  ),
  "log-failed": told(
    "No se puede escribir el registro.",
    "Pare.",
    "Llame a Administración: compruebe el disco y el registro.",
  ),
};

/** The same in a word or two, for charts. */
export const causes: CauseWords = {
  unplugged: "Desconectado",
  silent: "Sin respuesta",
  garbled: "Ilegible",
  unsupported: "Protocolo desconocido",
  refused: "Orden rechazada",
  "storage-failed": "Fallo al guardar",
  locked: "Sellado",
  "no-identity": "Sin identidad",
  "already-keyed": "Ya tiene clave",
  "foreign-key": "Clave ajena",
  "already-recorded": "Ya anotado",
  twin: "Duplicado",
  "other-key": "Otra clave",
  "not-proven": "No probada",
  "not-kept": "No conservada",
  "not-written": "No escrita",
  "not-restarted": "No reinició",
  swapped: "Cambiado",
  "port-unavailable": "Puerto ausente",
  "not-permitted": "No permitido",
  "vault-locked": "Bóveda cerrada",
  "vault-failed": "Fallo de bóveda",
  "key-inactive": "Clave inactiva",
  unsecured: "Sin asegurar",
  "space-low": "Disco lleno",
  "clock-doubted": "Reloj dudoso",
  unlisted: "Fuera de la orden",
  "wrong-oui": "Otro fabricante",
  "wrong-serial": "Serie errónea",
  "no-label": "Sin etiqueta",
  "wrong-label": "Otra etiqueta",
  "other-board": "Otra placa",
  scrapped: "Desechado",
  revoked: "Revocado",
  replaced: "Sustituido",
  moved: "Movido",
  "no-order": "Sin orden",
  "order-full": "Orden completa",
  "same-key": "La misma clave",
  "not-of-batch": "Fuera de la lista",
  "never-keyed": "Nunca tuvo clave",
  "already-rekeyed": "Ya terminado",
  "batch-full": "Lote completo",
  collision: "Misma clave",
  "log-failed": "Fallo del registro",
};

//! A PKCS#11 module that stands before the real one and does what a file tells it: refuse, misbehave, or pass the call on.
//!
//! `P11_REAL` is the real module, `P11_FAULT` the file. Each line of it is a rule, `FUNCTION WHAT [once]`; the first that fits the
//! function counts, and `once` strikes it out when it did. WHAT is a return code in hexadecimal digits, or one of the words below; `hang`, of
//! any function, never comes back while the rule stands.
//! Every call is noted in `P11_FAULT` + `.calls`.

#![allow(unsafe_code)] // it is called by C and calls C

use std::ffi::{OsString, c_void};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use cryptoki_sys::*;

/// What a rule says.
enum Order {
    /// Returns this and does nothing.
    Code(CK_RV),
    /// Does it in another way.
    Word(String),
}

static NO: CK_BBOOL = CK_FALSE;
static YES: CK_BBOOL = CK_TRUE;

static REAL: LazyLock<CK_FUNCTION_LIST> = LazyLock::new(|| {
    let path = PathBuf::from(setting("P11_REAL"));
    let mut list = std::ptr::null_mut();
    // SAFETY: the test names a PKCS#11 module, which stays open as long as the process.
    unsafe {
        let library = Box::leak(Box::new(Pkcs11::new(path).expect("the real module opens")));
        assert_eq!(library.C_GetFunctionList(&raw mut list), CKR_OK);
        *list
    }
});

static TABLE: LazyLock<CK_FUNCTION_LIST> = LazyLock::new(|| CK_FUNCTION_LIST {
    C_GetFunctionList: Some(C_GetFunctionList),
    C_GetTokenInfo: Some(get_token_info),
    C_OpenSession: Some(open_session),
    C_Login: Some(login),
    C_FindObjectsInit: Some(find_objects_init),
    C_GetAttributeValue: Some(get_attribute_value),
    C_SignInit: Some(sign_init),
    C_Sign: Some(sign),
    C_CreateObject: Some(create_object),
    C_DestroyObject: Some(destroy_object),
    ..*REAL
});

/// The one function that a module has to export.
///
/// # Safety
/// `list` is where PKCS#11 wants the table.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    // SAFETY: the caller's promise; nobody writes to the table.
    unsafe { *list = (&raw const *TABLE).cast_mut() };
    CKR_OK
}

fn setting(name: &str) -> OsString {
    std::env::var_os(name).expect("the test sets it")
}

/// Notes the call and looks whether a rule is about it. One that says `hang` is waited for until it is gone.
fn order(function: &str) -> Option<Order> {
    let mut order = look(function);
    while matches!(&order, Some(Order::Word(word)) if word == "hang") {
        // No event tells that a file was changed, and no test waits for this one.
        std::thread::sleep(std::time::Duration::from_millis(20));
        order = look(function);
    }
    order
}

fn look(function: &str) -> Option<Order> {
    let file = PathBuf::from(setting("P11_FAULT"));
    let calls = file.with_extension("calls");
    let mut calls = OpenOptions::new().create(true).append(true).open(calls).expect("calls can be noted");
    writeln!(calls, "{function}").expect("there is room");
    let rules = fs::read_to_string(&file).unwrap_or_default();
    let rule = rules.lines().find(|rule| rule.split(' ').next() == Some(function))?;
    let mut words = rule.split(' ').skip(1);
    let what = words.next().expect("a rule says what");
    if words.next() == Some("once") {
        // Other threads read it, and several may come to strike a rule out.
        let new = file.with_extension(format!("{:?}", std::thread::current().id()));
        fs::write(&new, rules.replacen(rule, "", 1)).expect("there is room");
        fs::rename(new, &file).expect("it is the same directory");
    }
    Some(CK_RV::from_str_radix(what, 16).map_or_else(|_| Order::Word(what.to_owned()), Order::Code))
}

/// Functions that are passed on unless a rule gives a return code.
macro_rules! pass_on {
    ($($name:ident = $function:ident($($argument:ident: $type:ty),+);)+) => {
        $(unsafe extern "C" fn $name($($argument: $type),+) -> CK_RV {
            match order(stringify!($function)) {
                Some(Order::Code(code)) => code,
                // SAFETY: the arguments are the caller's own.
                _ => unsafe { REAL.$function.expect("a module has all functions")($($argument),+) },
            }
        })+
    };
}

pass_on! {
    get_token_info = C_GetTokenInfo(slot: CK_SLOT_ID, info: *mut CK_TOKEN_INFO);
    open_session = C_OpenSession(
        slot: CK_SLOT_ID, flags: CK_FLAGS, application: *mut c_void, notify: CK_NOTIFY, session: *mut CK_SESSION_HANDLE
    );
    login = C_Login(session: CK_SESSION_HANDLE, user: CK_USER_TYPE, pin: *mut CK_UTF8CHAR, length: CK_ULONG);
    find_objects_init = C_FindObjectsInit(session: CK_SESSION_HANDLE, template: *mut CK_ATTRIBUTE, count: CK_ULONG);
    get_attribute_value = C_GetAttributeValue(
        session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, template: *mut CK_ATTRIBUTE, count: CK_ULONG
    );
    sign_init = C_SignInit(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, key: CK_OBJECT_HANDLE);
    destroy_object = C_DestroyObject(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE);
}

/// `short` cuts the signature, `flip` changes a bit of it.
unsafe extern "C" fn sign(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    signature: *mut CK_BYTE,
    length: *mut CK_ULONG,
) -> CK_RV {
    let order = order("C_Sign");
    if let Some(Order::Code(code)) = order {
        return code;
    }
    // SAFETY: the arguments are the caller's own; where there is a signature its first byte can be written.
    unsafe {
        let real = REAL.C_Sign.expect("a module has all functions");
        let code = real(session, data, data_length, signature, length);
        if code == CKR_OK && !signature.is_null() {
            match order {
                Some(Order::Word(word)) if word == "short" => *length -= 1,
                Some(Order::Word(word)) if word == "flip" => *signature ^= 1,
                _ => {}
            }
        }
        code
    }
}

/// `readable` makes a key that can be read back, `hmac` takes keys as a YubiHSM 2 does, `die` makes the object and ends the
/// process.
unsafe extern "C" fn create_object(
    session: CK_SESSION_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    object: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    let order = order("C_CreateObject");
    // SAFETY: the arguments are the caller's own, and the values of these attributes have the types that PKCS#11 gives them.
    unsafe {
        let real = REAL.C_CreateObject.expect("a module has all functions");
        let attributes = std::slice::from_raw_parts_mut(template, usize::try_from(count).expect("a few"));
        match order {
            Some(Order::Code(code)) => return code,
            Some(Order::Word(word)) if word == "readable" => {
                for attribute in attributes.iter_mut() {
                    match attribute.type_ {
                        CKA_SENSITIVE => attribute.pValue = (&raw const NO).cast_mut().cast(),
                        CKA_EXTRACTABLE => attribute.pValue = (&raw const YES).cast_mut().cast(),
                        _ => {}
                    }
                }
            }
            Some(Order::Word(word)) if word == "hmac" => {
                for attribute in attributes.iter() {
                    match attribute.type_ {
                        CKA_KEY_TYPE if *attribute.pValue.cast::<CK_KEY_TYPE>() != CKK_SHA256_HMAC => {
                            return CKR_TEMPLATE_INCONSISTENT;
                        }
                        CKA_MODIFIABLE => return CKR_ATTRIBUTE_TYPE_INVALID,
                        _ => {}
                    }
                }
            }
            Some(Order::Word(word)) if word == "die" => {
                real(session, template, count, object);
                std::process::abort();
            }
            _ => {}
        }
        real(session, template, count, object)
    }
}

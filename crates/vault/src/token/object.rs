//! A group key as an object of a token: how it is made, found, used, checked and deleted.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeInfo, AttributeType, KeyType as Ckk, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState};
use keystation_core::key::{CheckValue, KeyLabel};
use zeroize::{Zeroize as _, Zeroizing};

use super::KeyType;
use super::error::TokenError;
use super::login::Standing;
use crate::error::UnlockError;
use crate::group_key::GroupKey;

/// What an object is found by: `CKA_LABEL` is the key's label, `CKA_ID` the five bytes of its check value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) label: KeyLabel,
    pub(super) id: Vec<u8>,
}

/// A session of a login, for one thread at a time.
pub(super) struct Seat<'a> {
    standing: &'a Standing<'a>,
    session: &'a Session,
}

/// What an object is asked for besides what it must be. Modules that do not know one of these refuse them all.
const NOTHING_ELSE: [Attribute; 8] = [
    Attribute::Modifiable(false),
    Attribute::Copyable(false),
    Attribute::Verify(false),
    Attribute::Encrypt(false),
    Attribute::Decrypt(false),
    Attribute::Wrap(false),
    Attribute::Unwrap(false),
    Attribute::Derive(false),
];

impl Name {
    pub(super) fn of(label: &KeyLabel, check_value: CheckValue) -> Self {
        Self { label: label.clone(), id: check_value.bytes().to_vec() }
    }

    fn label_attribute(&self) -> Attribute {
        Attribute::Label(self.label.as_str().as_bytes().to_vec())
    }

    fn id_attribute(&self) -> Attribute {
        Attribute::Id(self.id.clone())
    }
}

impl<'a> Seat<'a> {
    pub(super) fn new(standing: &'a Standing<'a>, session: &'a Session) -> Self {
        Self { standing, session }
    }

    /// The one object of this name.
    pub(super) fn find(&self, name: &Name) -> Result<ObjectHandle, TokenError> {
        match self.all(name)?.as_slice() {
            [object] => Ok(*object),
            other => Err(TokenError::not_one(&name.label, other.len())),
        }
    }

    /// The object of this name, if it is there and nothing else has its label or its ID.
    pub(super) fn find_alone(&self, name: &Name) -> Result<Option<ObjectHandle>, TokenError> {
        let labelled = self.search(&[name.label_attribute()])?;
        let same = self.search(&[name.id_attribute()])?;
        match (labelled.as_slice(), same.as_slice()) {
            ([], []) => Ok(None),
            ([one], [other]) if one == other => Ok(Some(*one)),
            ([], _) => Err(TokenError::OtherName(name.label.clone())),
            (labelled, same) if labelled == same => Err(TokenError::not_one(&name.label, same.len())),
            _ => Err(TokenError::NameTaken(name.label.clone())),
        }
    }

    /// Secret keys with these attributes. `CKA_KEY_TYPE` is not among what is asked: a YubiHSM 2 cannot say it of an HMAC key.
    fn search(&self, attributes: &[Attribute]) -> Result<Vec<ObjectHandle>, TokenError> {
        let class = [Attribute::Class(ObjectClass::SECRET_KEY)];
        let found = self.session.find_objects(&[&class, attributes].concat())?;
        if found.is_empty() {
            // A token that nobody is logged in to, or that is gone, holds nothing and calls that no error.
            self.standing.ask()?;
            let state = self.session.get_session_info()?.session_state();
            if !matches!(state, SessionState::RoUser | SessionState::RwUser) {
                return Err(TokenError::logged_out());
            }
        }
        Ok(found)
    }

    /// HMAC-SHA256 of `message` into `out`: a value that is returned leaves copies on the stack.
    pub(super) fn mac(
        &self,
        key: ObjectHandle,
        message: &[u8],
        out: &mut [u8; 32],
    ) -> Result<(), TokenError> {
        let answer = Zeroizing::new(self.session.sign(&Mechanism::Sha256Hmac, key, message)?);
        if answer.len() != out.len() {
            return Err(TokenError::Answer(answer.len()));
        }
        out.copy_from_slice(&answer);
        Ok(())
    }

    fn check_value(&self, key: ObjectHandle) -> Result<CheckValue, TokenError> {
        let mut mac = [0; 32]; // of a text that is no device's ID: not secret
        self.mac(key, CheckValue::MESSAGE, &mut mac)?;
        Ok(CheckValue::from_hmac(&mac))
    }

    /// Has the object of this name, wherever it is found, make its check value.
    pub(super) fn prove(&self, name: &Name, expected: CheckValue) -> Result<(), UnlockError> {
        let found = self.check_value(self.find(name)?)?;
        if found == expected {
            Ok(())
        } else {
            Err(UnlockError::CheckValue { label: name.label.clone(), expected, found })
        }
    }

    /// Makes the object, in the first of the forms that the token takes and can use.
    ///
    /// It gets the key padded with zeros to a block, which is the same key to HMAC (RFC 2104, section 2) and a length that every
    /// token knows: SoftHSM uses none of fewer than 32 bytes.
    pub(super) fn create(
        &self,
        name: &Name,
        key: &GroupKey,
        key_type: KeyType,
    ) -> Result<ObjectHandle, TokenError> {
        let mut refused = None;
        for ckk in key_type.forms() {
            for optional in [&NOTHING_ELSE[..], &[]] {
                match self.create_as(*ckk, optional, name, key) {
                    Err(error) if error.is_about_the_form() => refused = Some(error),
                    made => return made,
                }
            }
        }
        Err(refused.expect("there is a form, and it was refused"))
    }

    fn create_as(
        &self,
        key_type: Ckk,
        optional: &[Attribute],
        name: &Name,
        key: &GroupKey,
    ) -> Result<ObjectHandle, TokenError> {
        let mut template = vec![
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(key_type),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            name.label_attribute(),
            name.id_attribute(),
        ];
        template.extend_from_slice(optional);
        template.push(Attribute::Value(key.block().to_vec()));
        let created = self.session.create_object(&template);
        // The library keeps the value of an attribute in ordinary memory.
        for attribute in &mut template {
            if let Attribute::Value(value) = attribute {
                value.zeroize();
            }
        }
        let object = created?;
        // Some take a key in a form in which they cannot use it.
        match self.check_value(object) {
            Ok(_) => Ok(object),
            Err(failed) => Err(self.undo(object, name, &failed.to_string()).err().unwrap_or(failed)),
        }
    }

    /// Refuses a key that the token would give out again.
    ///
    /// That `CKA_VALUE` cannot be read is what counts; a YubiHSM 2 does not know the attribute of an HMAC key. What the token says
    /// of wrapping must not contradict.
    pub(super) fn check_kept(&self, key: ObjectHandle, name: &Name) -> Result<(), TokenError> {
        let extractable = || TokenError::Extractable(name.label.clone());
        let value = self.session.get_attribute_info(key, &[AttributeType::Value])?;
        if value.iter().any(|value| matches!(value, AttributeInfo::Available(_))) {
            return Err(extractable());
        }
        for (asked, wanted) in [(AttributeType::Sensitive, true), (AttributeType::Extractable, false)] {
            for attribute in self.session.get_attributes(key, &[asked])? {
                match attribute {
                    Attribute::Sensitive(is) | Attribute::Extractable(is) if is != wanted => {
                        return Err(extractable());
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Deletes what an import made, because the import `failed`.
    pub(super) fn undo(&self, object: ObjectHandle, name: &Name, failed: &str) -> Result<(), TokenError> {
        self.delete(object).map_err(|cause| TokenError::LeftBehind {
            label: name.label.clone(),
            failed: failed.to_owned(),
            cause: Box::new(cause),
        })
    }

    pub(super) fn delete(&self, object: ObjectHandle) -> Result<(), TokenError> {
        Ok(self.session.destroy_object(object)?)
    }

    /// All objects of this name.
    pub(super) fn all(&self, name: &Name) -> Result<Vec<ObjectHandle>, TokenError> {
        self.search(&[name.label_attribute(), name.id_attribute()])
    }
}

//! Group keys in a PKCS#11 token (OASIS PKCS #11 3.1; 2.40 is enough): the key is used inside it and does not come out.
//!
//! The module of the token's maker is opened at run time. What is known of which token is in `docs/tokens.md`.

mod error;
mod in_use;
mod login;
mod module;
mod object;
mod why;

use std::path::PathBuf;
use std::str::FromStr;

use cryptoki::object::KeyType as Ckk;
use keystation_core::key::{GroupKeyInfo, KeyLabel};

pub use self::error::TokenError;
use self::in_use::TokenKeys;
use self::login::LoggedIn;
use self::module::Access;
use self::object::{Name, Seat};
pub use self::why::TokenFault;
use crate::card::{Card, Cards, Home};
use crate::custody::{Custody, CustodyKind};
use crate::error::{DestroyError, ImportError, UnlockError};
use crate::group_key::GroupKey;
use crate::os::bleach;
use crate::sealed_file::NewKey;
use crate::secret::Passphrase;
use crate::unlocked::UnlockedVault;

/// As what a token is asked to take a group key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyType {
    /// As `CKK_GENERIC_SECRET`; where that is refused, as `CKK_SHA256_HMAC`.
    #[default]
    Auto,
    /// As `CKK_GENERIC_SECRET` alone.
    Generic,
    /// As `CKK_SHA256_HMAC` alone: what a YubiHSM 2 takes.
    Sha256Hmac,
}

impl KeyType {
    /// As settings spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Generic => "generic",
            Self::Sha256Hmac => "sha256-hmac",
        }
    }

    const fn forms(self) -> &'static [Ckk] {
        match self {
            Self::Auto => &[Ckk::GENERIC_SECRET, Ckk::SHA256_HMAC],
            Self::Generic => &[Ckk::GENERIC_SECRET],
            Self::Sha256Hmac => &[Ckk::SHA256_HMAC],
        }
    }
}

/// A word that is no key type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key type is `auto`, `generic` or `sha256-hmac`")]
pub struct NoKeyType;

impl FromStr for KeyType {
    type Err = NoKeyType;

    fn from_str(word: &str) -> Result<Self, NoKeyType> {
        [Self::Auto, Self::Generic, Self::Sha256Hmac]
            .into_iter()
            .find(|t| t.as_str() == word)
            .ok_or(NoKeyType)
    }
}

/// Which token, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// The library of its maker: an absolute path.
    pub module: PathBuf,
    /// The token's label (`CKA_LABEL` of `CK_TOKEN_INFO`): 1 to 32 printable ASCII characters but `"` and `\`, without a space at
    /// the end. Slots are numbered differently after every change.
    pub label: String,
    /// As what it takes group keys.
    pub key_type: KeyType,
}

impl TokenSettings {
    /// Whether they can be those of a token: the form of the path and of the label. Nothing is looked for.
    pub fn check(&self) -> Result<(), TokenError> {
        if !self.module.is_absolute() {
            return Err(TokenError::ModulePath(self.module.clone()));
        }
        let printable = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let label = self.label.as_bytes();
        if (1..=32).contains(&label.len()) && label.iter().all(printable) && !label.ends_with(b" ") {
            Ok(())
        } else {
            Err(TokenError::Label)
        }
    }
}

/// A PKCS#11 token as custody of group keys. Its secret is the PIN of the token's user.
#[derive(Debug, Clone)]
pub struct Token {
    settings: TokenSettings,
    cards: Cards,
}

impl Token {
    /// The token of these settings, which are checked; nothing is opened yet.
    pub fn new(settings: TokenSettings, cards: Cards) -> Result<Self, TokenError> {
        settings.check()?;
        Ok(Self { settings, cards })
    }

    /// The cards of the keys in the token.
    fn cards(&self) -> Result<Vec<Card>, UnlockError> {
        let cards = self.cards.of(CustodyKind::Pkcs11)?;
        match cards.iter().find(|card| !self.is_home(card)) {
            Some(other) => Err(TokenError::OtherToken(other.info.label.clone()).into()),
            None => Ok(cards),
        }
    }

    fn is_home(&self, card: &Card) -> bool {
        matches!(&card.home, Home::Pkcs11 { token, .. } if *token == self.settings.label)
    }

    fn enter(&self, pin: &Passphrase) -> Result<LoggedIn, TokenError> {
        LoggedIn::enter(&self.settings.module, &self.settings.label, pin)
    }

    #[inline(never)] // its frame has to end before `bleach` begins
    fn add(&self, pin: &Passphrase, new: NewKey, key: &GroupKey) -> Result<GroupKeyInfo, ImportError> {
        let check_value = key.check_value()?;
        let NewKey { label, group, scope, slot } = new;
        let info = GroupKeyInfo { label, group, scope, slot, check_value, length: key.length() };
        let name = Name::of(&info.label, check_value);
        let card =
            Card { home: Home::Pkcs11 { token: self.settings.label.clone(), id: name.id.clone() }, info };
        let writer = self.cards.writer()?;
        writer.admit(&card.info.label, check_value)?;
        let login = self.enter(pin)?;
        during(&login, Access::Change, |seat| {
            // An import that was interrupted left the object and no card: it is taken over, once it is proved to be this key.
            let (object, made) = match seat.find_alone(&name)? {
                Some(object) => (object, false),
                None => (seat.create(&name, key, self.settings.key_type)?, true),
            };
            let keep = || -> Result<(), ImportError> {
                seat.check_kept(object, &name)?;
                seat.prove(&name, check_value)?;
                Ok(writer.put(&card)?)
            };
            if let Err(failed) = keep() {
                if made {
                    seat.undo(object, &name, &failed.to_string())?;
                }
                return Err(failed);
            }
            Ok(())
        })?;
        Ok(card.info)
    }
}

impl Custody for Token {
    fn kind(&self) -> CustodyKind {
        CustodyKind::Pkcs11
    }

    fn is_there(&self) -> bool {
        // A card that cannot be read is there: opening says what is wrong with it.
        self.cards.of(CustodyKind::Pkcs11).map_or(true, |cards| !cards.is_empty())
    }

    fn open(&self, secret: &Passphrase) -> Result<UnlockedVault, UnlockError> {
        let cards = self.cards()?;
        if cards.is_empty() {
            return Err(UnlockError::NoKeys(CustodyKind::Pkcs11));
        }
        let login = self.enter(secret)?;
        let mut infos = Vec::with_capacity(cards.len());
        let mut names = Vec::with_capacity(cards.len());
        during(&login, Access::Use, |seat| -> Result<(), UnlockError> {
            for card in cards {
                let Home::Pkcs11 { id, .. } = card.home else { continue };
                let name = Name { label: card.info.label.clone(), id };
                // It may have been exchanged since the import for one that comes out.
                seat.check_kept(seat.find(&name)?, &name)?;
                seat.prove(&name, card.info.check_value)?;
                infos.push(card.info);
                names.push(name);
            }
            Ok(())
        })?;
        Ok(UnlockedVault::of(TokenKeys::new(login, infos, names)))
    }

    fn import(&self, secret: &Passphrase, new: NewKey, key: GroupKey) -> Result<GroupKeyInfo, ImportError> {
        let added = self.add(secret, new, &key);
        drop(key);
        bleach();
        added
    }

    /// Deletes the object, looks for it in another session, and then removes the card. Where the object is gone already, as
    /// after a destruction that was interrupted, the card is removed.
    fn destroy(&self, secret: &Passphrase, label: &KeyLabel) -> Result<(), DestroyError> {
        let writer = self.cards.writer()?;
        let cards = self.cards()?;
        let card = cards.into_iter().find(|card| card.info.label == *label);
        let Some(Card { home: Home::Pkcs11 { id, .. }, .. }) = card else {
            return Err(DestroyError::NoKey(label.clone()));
        };
        let name = Name { label: label.clone(), id };
        let login = self.enter(secret)?;
        during(&login, Access::Change, |seat| -> Result<(), DestroyError> {
            for object in seat.all(&name)? {
                seat.delete(object)?;
            }
            Ok(())
        })?;
        during(&login, Access::Use, |seat| match seat.all(&name)?.as_slice() {
            [] => Ok(()),
            _ => Err(DestroyError::StillThere(label.clone())),
        })?;
        Ok(writer.remove(label)?)
    }
}

/// Works with the token in a session of its own. With the first failure the login ends, so that the next work begins with another.
fn during<T, E: From<TokenError>>(
    login: &LoggedIn,
    access: Access,
    work: impl FnOnce(&Seat<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let standing = login.stand()?;
    let time = standing.time();
    let worked =
        standing.session(access).map_err(E::from).and_then(|session| work(&Seat::new(&standing, &session)));
    drop(standing);
    worked.inspect_err(|_| login.mistrust(time))
}

//! What a key-injection station computes, without any input or output.
//!
//! A device tells its [`Identity`](identity::Identity); a product's [`Recipe`](recipe::Recipe) makes the one
//! [`RegistrationId`](registration::RegistrationId) of it; a [`Vault`](flow::Vault) derives the
//! [`DeviceKey`](key::DeviceKey); [`flow::inject`] writes it as one [`CredentialSet`](credential::CredentialSet),
//! has the device prove that it holds it, and puts every step into the [`Log`](flow::Log).
//!
//! Time, random numbers, the operator and the station come in as values: nothing here asks a clock, reads a file
//! or opens a port.

pub mod credential;
pub mod derive;
pub mod failure;
pub mod flow;
pub mod identity;
pub mod key;
pub mod mistake;
pub mod order;
pub mod proof;
pub mod recipe;
pub mod record;
pub mod registration;
pub mod repair;
pub mod role;
pub mod sas;

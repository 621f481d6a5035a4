//! Written music as it is played: bars with their signs ([`Bar`]), the order in which they are played ([`order`]), and the notes of that ([`perform`]).

mod bar;
mod perform;
mod unfold;

pub(super) use bar::{Bar, Jump, Signs, Written};
pub(super) use perform::perform;
pub(super) use unfold::order;

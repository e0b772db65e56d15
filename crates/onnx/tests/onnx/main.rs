//! Files written and read: see the modules.

mod files;
#[path = "../../examples/export_all/models.rs"]
mod models;
mod round_trip;

//! The command `frazil`, run as its users run it: files, pipes, exit statuses, messages and signals.

#[path = "command/ground.rs"]
mod ground;
#[path = "command/inspecting.rs"]
mod inspecting;
#[path = "command/kinds.rs"]
mod kinds;
#[path = "command/outputs.rs"]
mod outputs;
#[path = "command/restoring.rs"]
mod restoring;
#[path = "command/saying.rs"]
mod saying;
#[path = "command/signals.rs"]
mod signals;
#[path = "command/standing.rs"]
mod standing;
#[path = "command/statuses.rs"]
mod statuses;
#[path = "command/trees.rs"]
mod trees;
#[path = "command/woods.rs"]
mod woods;

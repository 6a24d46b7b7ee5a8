//! The command `frazil`, run as its users run it: files, pipes, exit statuses, messages and signals.

#[path = "command/advising.rs"]
mod advising;
#[path = "command/dry_runs.rs"]
mod dry_runs;
#[path = "command/extents.rs"]
mod extents;
#[path = "command/ground.rs"]
mod ground;
#[path = "command/inspecting.rs"]
mod inspecting;
#[path = "command/killed.rs"]
mod killed;
#[path = "command/kinds.rs"]
mod kinds;
#[path = "command/memory.rs"]
mod memory;
#[path = "command/naming.rs"]
mod naming;
#[path = "command/outputs.rs"]
mod outputs;
#[path = "command/partial.rs"]
mod partial;
#[path = "command/privileges.rs"]
mod privileges;
#[path = "command/restoring.rs"]
mod restoring;
#[path = "command/saying.rs"]
mod saying;
#[path = "command/selecting.rs"]
mod selecting;
#[path = "command/shortage.rs"]
mod shortage;
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

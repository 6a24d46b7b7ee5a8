//! The manual pages and the completions for shells, as the arguments have them.
//!
//! They are committed, so that whoever installs the command runs nothing for them; the test here holds what is
//! committed to what is generated, and `BLESS=1` writes it anew.

use std::iter::once;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// What is generated: the path of each file under `packaging`, and its content.
fn generated() -> Vec<(String, Vec<u8>)> {
    let mut command = super::Arguments::command().disable_help_subcommand(true);
    command.build();
    let mut files = vec![page(&command)];
    files.extend(command.get_subcommands().map(page));
    files.extend([("frazil.bash", Shell::Bash), ("frazil.fish", Shell::Fish), ("_frazil", Shell::Zsh)].map(
        |(name, shell)| {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut super::Arguments::command(), "frazil", &mut script);
            (format!("completions/{name}"), script)
        },
    ));
    files
}

fn page(command: &Command) -> (String, Vec<u8>) {
    let mut command = command.clone();
    // The synopsis of `--help`: the one made for manual pages names options without their values.
    let usage = command.render_usage().to_string();
    command = command.override_usage(usage.trim_start_matches("Usage: ").to_owned());
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let about = command.get_long_about().or(command.get_about()).expect("each command says what it does").to_string();
    let notes = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let notes: Vec<&str> = notes.split("\n\n").collect();
    const STATUS: &str = "Exit status: ";
    let is_status = |text: &str| text.starts_with(STATUS);
    let start = notes.iter().position(|text| text.starts_with("Example")).unwrap_or(notes.len());
    let (description, examples) = notes.split_at(start);

    let mut page = Vec::new();
    let has_subcommands = command.has_subcommands();
    // The version says how old a page is; a date would have to be kept by hand.
    let man = Man::new(command).date("\"\"").source(format!("frazil {}", frazil::VERSION)).manual("User Commands");
    man.render_title(&mut page).unwrap();
    man.render_name_section(&mut page).unwrap();
    man.render_synopsis_section(&mut page).unwrap();
    section("DESCRIPTION", &mut page);
    paragraphs(once(about.as_str()).chain(description.iter().copied().filter(|text| !is_status(text))), &mut page);
    man.render_options_section(&mut page).unwrap();
    if has_subcommands {
        man.render_subcommands_section(&mut page).unwrap();
    }
    section("EXIT STATUS", &mut page);
    paragraphs(super::AFTER_HELP.split("\n\n").filter_map(|text| text.strip_prefix(STATUS)), &mut page);
    if !examples.is_empty() {
        section("EXAMPLES", &mut page);
        paragraphs(examples.iter(), &mut page);
    }
    section("SEE ALSO", &mut page);
    let mut others = Roff::new();
    match has_subcommands {
        true => others.text([bold("rdiff"), roman("(1), "), bold("tar"), roman("(1)")]),
        false => others.text([bold("frazil"), roman("(1)")]),
    };
    others.to_writer(&mut page).unwrap();
    // Each part brings its own definition of the apostrophe; one will do.
    let apostrophe = Roff::new().render();
    let page = apostrophe.clone() + &String::from_utf8(page).unwrap().replace(&apostrophe, "");
    (format!("man/{name}.1"), page.into_bytes())
}

fn section(title: &str, page: &mut Vec<u8>) {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    roff.to_writer(page).unwrap();
}

/// Running text; and examples, whose lines are indented under one that says what of.
fn paragraphs(paragraphs: impl Iterator<Item = impl AsRef<str>>, page: &mut Vec<u8>) {
    let mut roff = Roff::new();
    let mut first = true;
    let mut part = |roff: &mut Roff| {
        if !std::mem::take(&mut first) {
            roff.control("PP", []);
        }
    };
    for paragraph in paragraphs {
        let paragraph = paragraph.as_ref();
        let (text, example): (Vec<&str>, Vec<&str>) = paragraph.lines().partition(|line| !line.starts_with("  "));
        let text = text.join(" ");
        if text != "Examples:" {
            part(&mut roff);
            roff.text([roman(sentence(text.trim_start_matches("Example: ")))]);
        }
        if !example.is_empty() {
            part(&mut roff);
            roff.control("RS", ["4"]);
            roff.control("EX", []);
            for line in example {
                roff.text([roman(line.trim_start())]);
            }
            roff.control("EE", []);
            roff.control("RE", []);
        }
    }
    roff.to_writer(page).unwrap();
}

/// What follows a colon in the help stands alone here.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

#[test]
fn the_committed_pages_and_completions_are_the_generated_ones() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
    let generated = generated();
    if std::env::var_os("BLESS").is_some() {
        for directory in ["man", "completions"] {
            std::fs::remove_dir_all(root.join(directory)).unwrap();
            std::fs::create_dir(root.join(directory)).unwrap();
        }
        for (path, content) in &generated {
            std::fs::write(root.join(path), content).unwrap();
        }
    }
    let again = "write it anew with: BLESS=1 cargo test --all-features --bin frazil manual";
    for (path, content) in &generated {
        let committed = std::fs::read(root.join(path)).unwrap_or_default();
        assert!(committed == *content, "packaging/{path} is not what the arguments say; {again}");
    }
    for directory in ["man", "completions"] {
        for entry in std::fs::read_dir(root.join(directory)).unwrap() {
            let path = format!("{directory}/{}", entry.unwrap().file_name().display());
            assert!(generated.iter().any(|(known, _)| *known == path), "packaging/{path} is of no command; {again}");
        }
    }
}

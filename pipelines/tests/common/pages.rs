//! The pages of a run, looked at in a browser as a reader would: on a desk, on a small window, on a phone, in the light and in the dark.

use super::browser::Browser;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Widths in pixels, and whether the look is dark.
const SCREENS: [(u32, bool); 4] = [(1280, false), (1280, true), (1000, false), (390, true)];

/// Findings shown of one page.
const MOST: usize = 20;

/// Fails with everything that is wrong with any page below a folder, or if one of `expected` is not there.
/// Without a browser it says so and passes.
pub(crate) fn assert_sound(dir: &Path, expected: &[&str]) {
    let pages = html_files(dir);
    for name in expected {
        assert!(pages.contains(&dir.join(name)), "no {name} among {pages:?}");
    }
    let Some(mut browser) = Browser::start() else { return };
    let mut wrong = BTreeMap::new();
    for page in &pages {
        let mut findings = inspect(&mut browser, page);
        if findings.len() > MOST {
            findings.splice(MOST.., [format!("and {} more", findings.len() - MOST)]);
        }
        if !findings.is_empty() {
            wrong.insert(page.strip_prefix(dir).unwrap().to_owned(), findings);
        }
    }
    println!("{} pages looked at", pages.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is wrong with a page, each with the screens where it is.
pub(crate) fn inspect(browser: &mut Browser, page: &Path) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut note = |what: &str, screen: &str| found.entry(what.to_owned()).or_default().push(screen.to_owned());
    browser.screen(SCREENS[0].0, SCREENS[0].1);
    browser.open(page);
    for (width, dark) in SCREENS {
        browser.screen(width, dark);
        let laid_out = browser.value("document.documentElement.clientWidth");
        if laid_out != width {
            note(&format!("the page is laid out for a screen of {laid_out}"), &width.to_string());
        }
        for what in browser.value(include_str!("inspect.js")).as_array().unwrap() {
            note(what.as_str().unwrap(), &format!("{width} {}", if dark { "dark" } else { "light" }));
        }
    }
    for what in broken_links(browser, page).into_iter().chain(anchors_that_stay(browser)).chain(browser.heard(page)) {
        note(&what, "any");
    }
    found.into_iter().map(|(what, screens)| format!("{what} ({})", screens.join(", "))).collect()
}

/// Links to files that are not there.
fn broken_links(browser: &mut Browser, page: &Path) -> Vec<String> {
    let links = browser.value(
        "[...document.querySelectorAll('[href], [src]')].map((e) => e.getAttribute('href') ?? e.getAttribute('src'))",
    );
    let links = links.as_array().unwrap().iter().map(|link| link.as_str().unwrap());
    let files = links.filter(|link| !link.starts_with('#') && !link.contains(':'));
    let missing = files.filter(|link| !page.parent().unwrap().join(link.split('#').next().unwrap()).exists());
    missing.map(|link| format!("no file at the end of a link: {link}")).collect()
}

/// Links within the page that do not bring what they name into sight when they are clicked.
fn anchors_that_stay(browser: &mut Browser) -> Vec<String> {
    let targets = browser.value("[...document.querySelectorAll('a[href^=\"#\"]')].map((a) => a.getAttribute('href'))");
    let mut wrong = Vec::new();
    for target in targets.as_array().unwrap().iter().map(|target| target.as_str().unwrap()) {
        browser.click(&format!("a[href='{target}']"));
        let sight = format!(
            "(() => {{ const box = document.querySelector({target:?})?.getBoundingClientRect();\
             return location.hash === {target:?} && box?.height > 0 && box.bottom > 0 && box.top < innerHeight; }})()"
        );
        if browser.value(&sight) != true {
            wrong.push(format!("a click on a link does not lead to {target}"));
        }
    }
    wrong
}

fn html_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(html_files(&path));
        } else if path.extension().is_some_and(|e| e == "html") {
            found.push(path);
        }
    }
    found.sort();
    found
}

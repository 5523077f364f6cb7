//! The page, in a real browser where the machine has one (`chromium` on the path).

use crate::server::{Options, Server};
use std::process::Command;

#[test]
fn the_page_shows_what_the_service_reads() {
    let server = Server::plain();
    let profile = tempfile::tempdir().unwrap();
    let texts = "?text=Sales%20rose.&text=Doanh%20thu%20gi%E1%BA%A3m.&text=bad%3C/s%3E";
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"])
        .args(["--virtual-time-budget=10000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("{}/{texts}", server.address))
        // What the browser leaves lying about goes with the profile.
        .env("TMPDIR", profile.path())
        .output();
    let page = match output {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        Ok(output) => {
            println!("skipped: chromium ends with {}", output.status);
            return;
        }
        Err(error) => {
            println!("skipped: no chromium on the path ({error})");
            return;
        }
    };
    assert!(page.contains("Serving tiny, version"), "{page}");
    let rows = page.split("<tbody>").nth(1).and_then(|rest| rest.split("</tbody>").next()).unwrap();
    assert_eq!(rows.matches("<tr>").count(), 3, "{rows}");
    let read = server.post("/v1/sentiment", &serde_json::json!({"texts": ["Sales rose."]})).json();
    let label = read["results"][0]["sentiment"]["label"].as_str().unwrap();
    assert!(rows.contains(&format!("<td>Sales rose.</td><td class=\"label {label}\">{label}</td>")), "{rows}");
    assert!(rows.contains("control token `&lt;/s&gt;`"), "{rows}");
}

#[test]
fn the_page_loads_nothing_from_elsewhere_and_may_not_be_framed() {
    let server = Server::start(Options::default());
    let page = server.get("/");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!page.text.contains("http://") && !page.text.contains("https://"));
}

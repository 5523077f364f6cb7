//! The dashboard, in a real browser where the machine has one (`chromium` on the path).
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

#[path = "../examples/dashboard.rs"]
mod sample;

use report::{DashboardData, DecisionView, Instrument, dashboard};
use sample::sample;
use std::process::Command;

/// The document as it stands after the page's script and then `actions` have run; none without a browser. Errors of any script end
/// up in it.
#[expect(clippy::print_stdout, reason = "says why a test is skipped")]
fn browse(page: &str, hash: &str, actions: &str) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("page.html");
    let watch = "<script>window.onerror = (m) => { document.documentElement.setAttribute('data-error', m); };\
                 document.addEventListener('securitypolicyviolation', (e) => { document.documentElement.setAttribute('data-error', e.blockedURI); });</script>";
    let page = page.replacen("<meta name", &format!("{watch}<meta name"), 1);
    let page = page.replace("</body>", &format!("<script>const press = (key) => document.dispatchEvent(new KeyboardEvent('keydown', {{ key, bubbles: true }}));\n{actions}</script></body>"));
    std::fs::write(&file, page).unwrap();
    let output = Command::new("chromium")
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1400,1200",
            "--virtual-time-budget=4000",
        ])
        .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
        .arg("--dump-dom")
        .arg(format!("file://{}#{hash}", file.display()))
        // What the browser leaves lying about goes with the page.
        .env("TMPDIR", dir.path())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(!text.contains("data-error="), "{}", &text[..text.len().min(400)]);
            Some(text)
        }
        Ok(output) => {
            println!("skipped: chromium ends with {}", output.status);
            None
        }
        Err(error) => {
            println!("skipped: no chromium on the path ({error})");
            None
        }
    }
}

fn chosen(document: &str) -> &str {
    document.split("class=\"row\"").skip(1).find(|row| row.contains("aria-selected=\"true\"")).unwrap_or("")
}

#[test]
fn the_page_holds_everything_and_reaches_for_nothing() {
    let page = dashboard(&sample(20));
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script>").count(), 2, "a text of the data ends a script");
    assert!(page.contains("Invented run &lt;b&gt;not markup&lt;/b&gt;"));
    assert!(page.contains("default-src 'none'"));
    for reach in ["http://", "https://", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(reach), "{reach}");
    }
    assert_eq!(page, dashboard(&sample(20)));
}

#[test]
fn a_number_that_is_none_does_not_break_the_data() {
    let decision = DecisionView { position: f64::NAN, confidence: Some(f64::INFINITY), ..DecisionView::default() };
    let instrument = Instrument {
        symbol: "X".into(),
        closes: vec![(0, f64::NAN)],
        decisions: vec![decision],
        ..Instrument::default()
    };
    let page = dashboard(&DashboardData { instruments: vec![instrument], ..DashboardData::default() });
    let json = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    assert!(value["instruments"][0]["closes"][0].is_null());
}

#[test]
fn the_first_decision_is_shown_with_opinions_verdicts_and_facts() {
    let Some(document) = browse(&dashboard(&sample(276)), "", "") else { return };
    assert!(document.contains("276 of 276 decisions"));
    assert!(document.contains("BTC, bar of 2025-02-24 00:00"));
    assert!(document.contains("risk manager") && document.contains("supported"));
    assert!(document.contains("BTC closed at"));
    // A text that looks like markup is text.
    assert!(document.contains("Exchange flows calm down &lt;/script&gt;"));
    // Only the rows in sight exist.
    let rows = document.matches("class=\"row\"").count();
    assert!((5..80).contains(&rows), "{rows}");
}

#[test]
fn an_address_names_a_decision_and_filters() {
    let page = dashboard(&sample(276));
    let Some(document) = browse(&page, "bar=2025-02-24T05:00:00.000Z&agent=bear&verdict=wrong-number", "") else {
        return;
    };
    let wrong = sample(276).instruments[0]
        .decisions
        .iter()
        .filter(|d| {
            d.opinions.iter().any(|o| o.agent == "bear" && o.claims.iter().any(|c| c.verdict == "wrong-number"))
        })
        .count();
    assert!(wrong > 3 && wrong < 100);
    assert!(document.contains(&format!("{wrong} of 276 decisions")), "{wrong}");
    let Some(document) = browse(&page, "bar=2025-02-24T05:00:00.000Z", "") else { return };
    assert!(document.contains("BTC, bar of 2025-02-24 05:00"));
}

#[test]
fn keys_walk_from_decision_to_decision_and_to_the_next_error() {
    let page = dashboard(&sample(276));
    let Some(document) = browse(&page, "", "press('ArrowRight'); press('j'); press('ArrowLeft');") else { return };
    assert!(chosen(&document).contains("2025-02-24 00:10"));
    let Some(document) = browse(&page, "", "press('End');") else { return };
    assert!(chosen(&document).contains("2025-02-25 21:50"), "{}", chosen(&document));
    let first = sample(276).instruments[0]
        .decisions
        .iter()
        .skip(1)
        .position(|d| d.opinions.iter().flat_map(|o| &o.claims).any(|c| c.verdict != "supported"));
    let Some(document) = browse(&page, "", "press('e');") else { return };
    let minutes = (first.unwrap() + 1) * 10;
    let expected = format!("2025-02-24 {:02}:{:02}", minutes / 60, minutes % 60);
    assert!(chosen(&document).contains(&expected) && chosen(&document).contains("wrong"), "{expected}");
}

#[test]
fn a_click_on_the_chart_chooses_the_nearest_decision_and_a_claim_leads_to_its_fact() {
    let click = "const c = document.getElementById('price'), b = c.getBoundingClientRect();\
                 c.dispatchEvent(new MouseEvent('click', { clientX: b.left + 64 + (b.width - 72) * 0.5, clientY: b.top + 50, bubbles: true }));\
                 document.querySelector('.claims button').click();";
    let Some(document) = browse(&dashboard(&sample(277)), "", click) else { return };
    // 277 bars: the middle one is number 138, 23 hours after the first.
    assert!(document.contains("BTC, bar of 2025-02-24 23:00"), "{}", chosen(&document));
    assert_eq!(document.matches("class=\"cited\"").count(), 1);
}

#[test]
fn search_finds_words_of_claims_and_facts_and_escape_clears_it() {
    let page = dashboard(&sample(276));
    let search =
        "const q = document.getElementById('query'); q.value = 'bulletin 3)'; q.dispatchEvent(new Event('input'));";
    let Some(document) = browse(&page, "", search) else { return };
    assert!(document.contains("7 of 276 decisions"));
    let Some(document) = browse(&page, "", &format!("{search} press('Escape');")) else { return };
    assert!(document.contains("276 of 276 decisions"));
}

#[test]
fn five_thousand_decisions_are_no_burden() {
    let page = dashboard(&sample(5_000));
    assert!(page.len() < 15_000_000, "{} bytes", page.len());
    let timing = "const t = performance.now(); for (let i = 0; i < 20; i++) press('ArrowRight');\
                  document.documentElement.setAttribute('data-ms', Math.round(performance.now() - t));";
    let Some(document) = browse(&page, "", timing) else { return };
    assert!(document.contains("5000 of 5000 decisions"));
    assert!(chosen(&document).contains("2025-02-24 03:20"));
    println!(
        "{} bytes; 20 steps took {:?} ms",
        page.len(),
        document.split("data-ms=\"").nth(1).and_then(|m| m.split('"').next())
    );
}

#[test]
fn a_run_without_decisions_or_instruments_says_so() {
    let Some(document) = browse(&dashboard(&sample(5)), "symbol=ETH", "press('e'); press('End');") else { return };
    assert!(document.contains("This run has no decisions."));
    let Some(document) = browse(&dashboard(&DashboardData::default()), "", "") else { return };
    assert!(document.contains("This run has no instruments."));
}

//! Browser policies that let one page reach the agent without a prompt.
//!
//! Browsers ask a person before a public page may reach loopback (Local Network Access): Chrome and Edge
//! for requests since 142/143 and for WebSockets since 147, Firefox from 150 on.
//! An administrator answers that question once, for one origin; nothing here opens more than that.

use serde_json::{Value, json};

use crate::origin::Origin;

/// The policies for one origin, by browser, each with the place where the browser looks for it.
#[must_use]
pub fn policies(origin: &Origin) -> Value {
    let urls = [origin.as_str()];
    let chromium = json!({
        // From 146 on; 142 to 145 know only the older name.
        "LoopbackNetworkAllowedForUrls": urls,
        "LocalNetworkAccessAllowedForUrls": urls,
    });
    json!({
        "chrome": {
            "linux": "/etc/opt/chrome/policies/managed/madoguchi.json",
            "windows": r"HKLM\Software\Policies\Google\Chrome",
            "policy": chromium,
        },
        "edge": {
            "linux": "/etc/opt/edge/policies/managed/madoguchi.json",
            "windows": r"HKLM\Software\Policies\Microsoft\Edge",
            "policy": chromium,
        },
        "firefox": {
            "linux": "/etc/firefox/policies/policies.json",
            "windows": r"distribution\policies.json in the program folder",
            "policy": { "policies": { "LocalNetworkAccess": {
                "Enabled": true,
                "SkipDomains": [host(origin)],
            } } },
        },
    })
}

/// Firefox names hosts, not origins.
fn host(origin: &Origin) -> &str {
    let authority = origin
        .as_str()
        .split_once("://")
        .map_or("", |(_scheme, rest)| rest);
    authority
        .split_once(':')
        .map_or(authority, |(host, _port)| host)
}

#[cfg(test)]
mod tests {
    use super::policies;
    use crate::origin::Origin;

    #[test]
    fn a_policy_opens_one_origin_and_no_pattern() {
        let origin = Origin::parse("https://madoguchi.city.example.jp:8443").unwrap();
        let policies = policies(&origin);
        for browser in ["chrome", "edge"] {
            let allowed = &policies[browser]["policy"]["LoopbackNetworkAllowedForUrls"];
            assert_eq!(
                *allowed,
                serde_json::json!(["https://madoguchi.city.example.jp:8443"])
            );
        }
        let skipped =
            &policies["firefox"]["policy"]["policies"]["LocalNetworkAccess"]["SkipDomains"];
        assert_eq!(*skipped, serde_json::json!(["madoguchi.city.example.jp"]));
    }
}

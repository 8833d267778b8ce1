//! Topics and filters, section 4.7 of MQTT 3.1.1.

/// Whether `filter` can be subscribed to.
pub(crate) fn is_filter(filter: &str) -> bool {
    let levels = filter.split('/').count();
    // [MQTT-4.7.3-1], [MQTT-4.7.1-2], [MQTT-4.7.1-3].
    !filter.is_empty()
        && filter
            .split('/')
            .enumerate()
            .all(|(at, level)| match level {
                "+" => true,
                "#" => at + 1 == levels,
                plain => !plain.contains(['+', '#']),
            })
}

/// Whether a message at `topic` is for a subscriber to `filter`.
pub(crate) fn matches(filter: &str, topic: &str) -> bool {
    // [MQTT-4.7.2-1]: a wildcard at the front does not match topics that begin with `$`.
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut topic = topic.split('/');
    for level in filter.split('/') {
        // Section 4.7.1.2: `#` stands for its parent too.
        if level == "#" {
            return true;
        }
        match topic.next() {
            Some(name) if level == "+" || level == name => {}
            _ => return false,
        }
    }
    topic.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_match_as_it_says() {
        for (filter, topic, expected) in [
            // Section 4.7.1.2.
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/ranking",
                true,
            ),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/score/wimbledon",
                true,
            ),
            ("sport/#", "sport", true),
            ("#", "sport/tennis", true),
            // Section 4.7.1.3.
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player2", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            // Section 4.7.2.
            ("#", "$SYS/uptime", false),
            ("+/monitor/Clients", "$SYS/monitor/Clients", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
            // Section 4.7.3.
            ("ACCOUNTS", "Accounts", false),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        }
    }

    #[test]
    fn filters_are_accepted_as_the_specification_says() {
        for good in [
            "#",
            "sport/tennis/#",
            "+",
            "+/tennis/#",
            "sport/+/player1",
            "/",
        ] {
            assert!(is_filter(good), "{good}");
        }
        for bad in ["", "sport/tennis#", "sport/tennis/#/ranking", "sport+"] {
            assert!(!is_filter(bad), "{bad}");
        }
    }
}

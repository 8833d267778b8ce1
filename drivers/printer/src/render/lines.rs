//! Where lines break: between any two Japanese characters, between words of other scripts, and never so
//! that a mark stands alone (禁則, JIS X 4051).

use super::fonts::Cluster;

/// May not begin a line (行頭禁則).
const NOT_FIRST: &str = "、。，．・：；？！）」』】〕〉》］｝ー々ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ゛゜…‥,.:;?!)]}%％";
/// May not end a line (行末禁則).
const NOT_LAST: &str = "（「『【〔〈《［｛([{￥$＄";

/// Divides clusters into lines of at most `width`; the end of each line is the start of the next.
///
/// A line feed is in no line, nor is a space at a break. What is wider than a whole line stands alone.
pub(crate) fn break_lines(
    clusters: &[Cluster],
    widths: &[f32],
    width: f32,
) -> Vec<std::ops::Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut sum = 0.0;
    let mut at = 0;
    while let Some(cluster) = clusters.get(at) {
        let advance = widths.get(at).copied().unwrap_or(0.0);
        if cluster.base == '\n' {
            lines.push(start..at);
            (start, sum, at) = (at + 1, 0.0, at + 1);
        } else if sum + advance > width && at > start && cluster.base != ' ' {
            let end = best_break(clusters, start, at);
            lines.push(start..end);
            (start, sum, at) = (end, 0.0, end);
        } else {
            sum += advance;
            at += 1;
        }
    }
    lines.push(start..clusters.len());
    lines
}

/// The last place at which a line from `start` may end, at or before `over`.
fn best_break(clusters: &[Cluster], start: usize, over: usize) -> usize {
    (start + 1..=over)
        .rev()
        .find(|place| may_break(clusters, *place))
        // Nowhere: better a broken rule than a lost character.
        .unwrap_or(over)
}

fn may_break(clusters: &[Cluster], place: usize) -> bool {
    let base = |at: usize| clusters.get(at).map(|cluster| cluster.base);
    let (Some(before), Some(after)) = (place.checked_sub(1).and_then(base), base(place)) else {
        return true;
    };
    let word = |character: char| {
        u32::from(character) < 0x2E80 && !character.is_whitespace() && character != '-'
    };
    let kept = NOT_FIRST.contains(after) || NOT_LAST.contains(before);
    let within_word = word(before) && word(after);
    !kept && !within_word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, width: f32, expected: &[&str]) {
        let clusters = Cluster::divide(text).unwrap();
        let widths: Vec<f32> = clusters
            .iter()
            .map(|cluster| if cluster.base.is_ascii() { 0.5 } else { 1.0 })
            .collect();
        let lines: Vec<String> = break_lines(&clusters, &widths, width)
            .into_iter()
            .map(|range| clusters[range].iter().map(|cluster| cluster.base).collect())
            .collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn marks_keep_their_place() {
        check(
            "住民票の写し、印鑑証明。",
            6.0,
            &["住民票の写", "し、印鑑証明。"][..1]
                .iter()
                .chain(&["し、印鑑証", "明。"])
                .copied()
                .collect::<Vec<_>>(),
        );
        check("受付は「窓口」です", 4.0, &["受付は", "「窓口」", "です"]);
        check("ああああ。。", 4.0, &["あああ", "あ。。"]);
    }

    #[test]
    fn words_stay_whole_where_a_line_has_room() {
        check("call A-014 now", 4.0, &["call A-", "014 now"]);
        check("abcdefghij", 2.0, &["abcd", "efgh", "ij"]);
    }

    #[test]
    fn line_feeds_break_and_nothing_is_lost() {
        check("一\n\n二", 5.0, &["一", "", "二"]);
        check("", 5.0, &[""]);
        check("あ", 0.1, &["あ"]);
        check("。。。", 1.0, &["。", "。", "。"]);
    }
}

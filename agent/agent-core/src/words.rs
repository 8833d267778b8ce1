//! The words by which a clerk and a citizen know that they speak of the same job.
//!
//! Hiragana only, two to six characters, things that everybody has seen; no two that differ only in a
//! voiced mark or a long sound, because they are read aloud across a counter.

/// The words. None is a name, a number, or something that would embarrass a person at a counter.
pub(crate) const WORDS: [&str; 80] = [
    "さくら",
    "もみじ",
    "うさぎ",
    "ひまわり",
    "りんご",
    "みかん",
    "すいか",
    "いちご",
    "たぬき",
    "きつね",
    "つばめ",
    "すずめ",
    "ひつじ",
    "くじら",
    "いるか",
    "らくだ",
    "きりん",
    "めだか",
    "とんぼ",
    "ほたる",
    "あさがお",
    "たんぽぽ",
    "すみれ",
    "つばき",
    "あやめ",
    "なのはな",
    "こすもす",
    "どんぐり",
    "まつぼっくり",
    "たけのこ",
    "しいたけ",
    "だいこん",
    "にんじん",
    "かぼちゃ",
    "とまと",
    "きゅうり",
    "れもん",
    "ぶどう",
    "さつまいも",
    "とうもろこし",
    "おにぎり",
    "うどん",
    "せんべい",
    "だんご",
    "ようかん",
    "おちゃ",
    "みそしる",
    "とうふ",
    "たまご",
    "のり",
    "つくえ",
    "えんぴつ",
    "はさみ",
    "かばん",
    "ぼうし",
    "くつした",
    "てぶくろ",
    "まくら",
    "とけい",
    "めがね",
    "ふうせん",
    "たこあげ",
    "こま",
    "けんだま",
    "おりがみ",
    "たいこ",
    "ふえ",
    "すずむし",
    "かえる",
    "かたつむり",
    "にじ",
    "ゆき",
    "ほし",
    "つき",
    "うみ",
    "やま",
    "はし",
    "ふね",
    "でんしゃ",
    "ひこうき",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::WORDS;

    #[test]
    fn the_words_are_hiragana_short_and_all_different() {
        let different: BTreeSet<&str> = WORDS.into_iter().collect();
        assert_eq!(different.len(), WORDS.len());
        for word in WORDS {
            assert!(
                word.chars().all(|sound| ('ぁ'..='ん').contains(&sound)),
                "{word}"
            );
            assert!((2..=6).contains(&word.chars().count()), "{word}");
        }
    }
}

/**
 * Characters that a clerk should look at, said beside the field in which they stand.
 *
 * Positions count Unicode scalar values, as the agent counts them.
 */
import type { TextNotice } from "@madoguchi/agent";

/** A notice in words, with the character as it should look. */
export interface NoticeText {
  readonly glyph: string;
  readonly text: string;
}

/** Describes the notices of one text, in the order of their positions. */
export function describeNotices(value: string, notices: readonly TextNotice[]): NoticeText[] {
  const scalars = [...value];
  return [...notices]
    .sort((left, right) => left.position - right.position)
    .map((notice) => ({
      glyph: notice.kind === "damaged" ? "" : glyphAt(scalars, notice.position),
      text: sentence(notice),
    }));
}

/** The character together with the variation selector that belongs to it. */
function glyphAt(scalars: readonly string[], position: number): string {
  const next = scalars[position + 1] ?? "";
  return (scalars[position] ?? "") + (isVariationSelector(next) ? next : "");
}

function isVariationSelector(scalar: string): boolean {
  const code = scalar.codePointAt(0) ?? 0;
  return (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef);
}

function sentence(notice: TextNotice): string {
  const where = `${notice.position + 1}文字目`;
  switch (notice.kind) {
    case "outsideJisX0213":
      return `${where}は JIS X 0213 にない文字です。ほかのシステムや印刷で正しく出るか確かめてください。`;
    case "privateUse":
      return `${where}は外字（私用領域）です。端末のフォントで形が変わるため、券面と見比べてください。`;
    case "variationSequence":
      return `${where}は異体字の指定つきです。券面と同じ形か見比べてください。`;
    case "damaged":
      return `${where}が壊れています。券面を見て直してください。`;
  }
}

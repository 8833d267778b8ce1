/**
 * Japanese dates and places, as clerks read them.
 *
 * The first two digits of a municipality's code are its prefecture's in JIS X 0401; the names are that
 * standard's, in its order.
 */

const PREFECTURES =
  "北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県 東京都 神奈川県 新潟県 富山県 石川県 福井県 山梨県 長野県 岐阜県 静岡県 愛知県 三重県 滋賀県 京都府 大阪府 兵庫県 奈良県 和歌山県 鳥取県 島根県 岡山県 広島県 山口県 徳島県 香川県 愛媛県 高知県 福岡県 佐賀県 長崎県 熊本県 大分県 宮崎県 鹿児島県 沖縄県".split(
    " ",
  );

const ERA_DATE = new Intl.DateTimeFormat("ja-JP-u-ca-japanese", { dateStyle: "long", timeZone: "UTC" });

/** `1980-01-31` as `昭和55年1月31日`; `undefined` for a text that is no date. */
export function eraDate(text: string): string | undefined {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text.trim());
  if (match === null) {
    return undefined;
  }
  const date = new Date(`${match[0]}T00:00:00Z`);
  const real = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(match[0]);
  return real ? ERA_DATE.format(date) : undefined;
}

/** `2030-05-01` as `2030年5月1日`; a text that is no date stays as it is. */
export function plainDate(text: string): string {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text);
  return match === null ? text : `${match[1]}年${Number(match[2])}月${Number(match[3])}日`;
}

/** The prefecture of a municipality's code, where there is one. */
export function prefecture(code: string): string | undefined {
  return PREFECTURES[Number(code.slice(0, 2)) - 1];
}

/** Today on this machine, as `YYYY-MM-DD`. */
export function today(): string {
  const now = new Date();
  const month = `${now.getMonth() + 1}`.padStart(2, "0");
  const day = `${now.getDate()}`.padStart(2, "0");
  return `${now.getFullYear()}-${month}-${day}`;
}

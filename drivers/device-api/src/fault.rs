//! Every way a job or a request can fail, as a closed set.
//!
//! A fault names the layer that failed, whether trying again can help, and, for the clerk, one sentence
//! of what happened and one of what to do, in Japanese and in English.
//! Codes are stable: a code that was released keeps its meaning for ever.
//! `docs/errors.md` lists them all; a test of this crate holds the two together.

/// The layer at which something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The request was refused before anything happened.
    Door,
    /// The agent and its driver processes.
    Agent,
    /// The operating system's device service, such as PC/SC.
    Service,
    /// The device itself.
    Device,
    /// The card in the device.
    Card,
    /// The PIN or another secret that a person entered.
    Pin,
}

impl Layer {
    /// The name used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Door => "door",
            Self::Agent => "agent",
            Self::Service => "service",
            Self::Device => "device",
            Self::Card => "card",
            Self::Pin => "pin",
        }
    }
}

/// Whether doing the same again can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// A person or program may simply start again.
    Now,
    /// It can succeed once something outside has changed by itself.
    Later,
    /// It fails again until a person changes something.
    Never,
}

impl Retry {
    /// The name used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Later => "later",
            Self::Never => "never",
        }
    }
}

/// What a fault tells people: in each field one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultText {
    /// What happened, in Japanese, for the clerk.
    pub ja: &'static str,
    /// What happened, in English.
    pub en: &'static str,
    /// What to do next, in Japanese.
    pub next_ja: &'static str,
    /// What to do next, in English.
    pub next_en: &'static str,
}

/// A way in which a job or a request can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultCode {
    /// `SVC-ABSENT`: The smart-card service is not running.
    ServiceAbsent,
    /// `SVC-LOST`: The smart-card service stopped during the operation.
    ServiceLost,
    /// `RDR-GONE`: The card reader was unplugged.
    ReaderGone,
    /// `RDR-BUSY`: Another program is using the card reader.
    ReaderBusy,
    /// `RDR-DENIED`: The operating system denies access to the card reader.
    ReaderDenied,
    /// `RDR-HUNG`: The card reader stopped answering.
    ReaderHung,
    /// `RDR-FAILED`: The card reader reported a communication error.
    ReaderFailed,
    /// `CRD-TIMEOUT`: No card was presented in time.
    CardTimeout,
    /// `CRD-REMOVED`: The card was lifted during the reading.
    CardRemoved,
    /// `CRD-MUTE`: The card does not answer.
    CardMute,
    /// `CRD-INTERRUPTED`: Another program reset the card during the reading.
    CardInterrupted,
    /// `CRD-UNKNOWN`: This is not a My Number card.
    CardUnknown,
    /// `CRD-GARBLED`: The card answered with data that make no sense.
    CardGarbled,
    /// `CRD-REFUSED`: The card refused a command.
    CardRefused,
    /// `PIN-WRONG`: The PIN is wrong.
    PinWrong,
    /// `PIN-BLOCKED`: The PIN is blocked.
    PinBlocked,
    /// `PIN-LAST-TRY`: Only one PIN try is left, so none was spent.
    PinLastTry,
    /// `PIN-UNKNOWN`: The connection broke while the PIN was checked; the outcome is unknown.
    PinUnknown,
    /// `PIN-FORMAT`: The PIN does not have the right form.
    PinFormat,
    /// `PIN-DECLINED`: The citizen declined to enter the PIN.
    PinDeclined,
    /// `PIN-TIMEOUT`: No PIN was entered in time.
    PinTimeout,
    /// `PIN-NO-SCREEN`: No PIN screen is paired with this counter.
    PinNoScreen,
    /// `HST-DIED`: The driver process ended unexpectedly and was restarted.
    HostDied,
    /// `HST-UNUSABLE`: The driver process does not follow its protocol.
    HostUnusable,
    /// `JOB-CANCELLED`: The job was cancelled.
    JobCancelled,
    /// `JOB-DEADLINE`: The job did not finish in time.
    JobDeadline,
    /// `JOB-ABANDONED`: The page that asked for the job went away.
    JobAbandoned,
    /// `LSE-LOST`: The lease of the device is not valid any more.
    LeaseLost,
    /// `DOR-HOST`: The Host header does not name this agent.
    DoorHost,
    /// `DOR-ORIGIN`: This origin is not allowed to use the agent.
    DoorOrigin,
    /// `DOR-CONTEXT`: The request did not come from a script of an allowed page.
    DoorContext,
    /// `DOR-TOKEN`: The counter token is missing or not valid.
    DoorToken,
    /// `DOR-TOKEN-EXPIRED`: The counter token has expired.
    DoorTokenExpired,
    /// `DOR-NONCE`: A privileged call needs a token with an unused nonce of this agent.
    DoorNonce,
    /// `DOR-GRANT`: Neither the origin's grant nor the token's scope covers this operation.
    DoorGrant,
    /// `DOR-SCHEMA`: The request does not match the schema.
    DoorSchema,
    /// `DOR-TOO-LARGE`: The request is too large.
    DoorTooLarge,
    /// `DOR-TOO-MANY`: Too many requests or connections.
    DoorTooMany,
    /// `DOR-NOT-FOUND`: There is no such thing.
    DoorNotFound,
    /// `DOR-CONFLICT`: The operation does not fit the present state.
    DoorConflict,
    /// `DOR-GONE`: The result has already been handed over.
    DoorGone,
    /// `AGT-AUDIT`: The audit log cannot be written, so nothing was handed out.
    AuditUnavailable,
    /// `AGT-STOPPING`: The agent is shutting down.
    AgentStopping,
    /// `AGT-INTERNAL`: The agent failed internally.
    AgentInternal,
}

impl FaultCode {
    /// Every code, in the order of `docs/errors.md`.
    pub const ALL: &'static [Self] = &[
        Self::ServiceAbsent,
        Self::ServiceLost,
        Self::ReaderGone,
        Self::ReaderBusy,
        Self::ReaderDenied,
        Self::ReaderHung,
        Self::ReaderFailed,
        Self::CardTimeout,
        Self::CardRemoved,
        Self::CardMute,
        Self::CardInterrupted,
        Self::CardUnknown,
        Self::CardGarbled,
        Self::CardRefused,
        Self::PinWrong,
        Self::PinBlocked,
        Self::PinLastTry,
        Self::PinUnknown,
        Self::PinFormat,
        Self::PinDeclined,
        Self::PinTimeout,
        Self::PinNoScreen,
        Self::HostDied,
        Self::HostUnusable,
        Self::JobCancelled,
        Self::JobDeadline,
        Self::JobAbandoned,
        Self::LeaseLost,
        Self::DoorHost,
        Self::DoorOrigin,
        Self::DoorContext,
        Self::DoorToken,
        Self::DoorTokenExpired,
        Self::DoorNonce,
        Self::DoorGrant,
        Self::DoorSchema,
        Self::DoorTooLarge,
        Self::DoorTooMany,
        Self::DoorNotFound,
        Self::DoorConflict,
        Self::DoorGone,
        Self::AuditUnavailable,
        Self::AgentStopping,
        Self::AgentInternal,
    ];

    /// The stable code, such as `CRD-REMOVED`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAbsent => "SVC-ABSENT",
            Self::ServiceLost => "SVC-LOST",
            Self::ReaderGone => "RDR-GONE",
            Self::ReaderBusy => "RDR-BUSY",
            Self::ReaderDenied => "RDR-DENIED",
            Self::ReaderHung => "RDR-HUNG",
            Self::ReaderFailed => "RDR-FAILED",
            Self::CardTimeout => "CRD-TIMEOUT",
            Self::CardRemoved => "CRD-REMOVED",
            Self::CardMute => "CRD-MUTE",
            Self::CardInterrupted => "CRD-INTERRUPTED",
            Self::CardUnknown => "CRD-UNKNOWN",
            Self::CardGarbled => "CRD-GARBLED",
            Self::CardRefused => "CRD-REFUSED",
            Self::PinWrong => "PIN-WRONG",
            Self::PinBlocked => "PIN-BLOCKED",
            Self::PinLastTry => "PIN-LAST-TRY",
            Self::PinUnknown => "PIN-UNKNOWN",
            Self::PinFormat => "PIN-FORMAT",
            Self::PinDeclined => "PIN-DECLINED",
            Self::PinTimeout => "PIN-TIMEOUT",
            Self::PinNoScreen => "PIN-NO-SCREEN",
            Self::HostDied => "HST-DIED",
            Self::HostUnusable => "HST-UNUSABLE",
            Self::JobCancelled => "JOB-CANCELLED",
            Self::JobDeadline => "JOB-DEADLINE",
            Self::JobAbandoned => "JOB-ABANDONED",
            Self::LeaseLost => "LSE-LOST",
            Self::DoorHost => "DOR-HOST",
            Self::DoorOrigin => "DOR-ORIGIN",
            Self::DoorContext => "DOR-CONTEXT",
            Self::DoorToken => "DOR-TOKEN",
            Self::DoorTokenExpired => "DOR-TOKEN-EXPIRED",
            Self::DoorNonce => "DOR-NONCE",
            Self::DoorGrant => "DOR-GRANT",
            Self::DoorSchema => "DOR-SCHEMA",
            Self::DoorTooLarge => "DOR-TOO-LARGE",
            Self::DoorTooMany => "DOR-TOO-MANY",
            Self::DoorNotFound => "DOR-NOT-FOUND",
            Self::DoorConflict => "DOR-CONFLICT",
            Self::DoorGone => "DOR-GONE",
            Self::AuditUnavailable => "AGT-AUDIT",
            Self::AgentStopping => "AGT-STOPPING",
            Self::AgentInternal => "AGT-INTERNAL",
        }
    }

    /// The code with this stable name, if there is one.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == code)
    }

    /// The layer that failed.
    #[must_use]
    pub const fn layer(self) -> Layer {
        match self {
            Self::ServiceAbsent
            | Self::ServiceLost => Layer::Service,
            Self::ReaderGone
            | Self::ReaderBusy
            | Self::ReaderDenied
            | Self::ReaderHung
            | Self::ReaderFailed => Layer::Device,
            Self::CardTimeout
            | Self::CardRemoved
            | Self::CardMute
            | Self::CardInterrupted
            | Self::CardUnknown
            | Self::CardGarbled
            | Self::CardRefused => Layer::Card,
            Self::PinWrong
            | Self::PinBlocked
            | Self::PinLastTry
            | Self::PinUnknown
            | Self::PinFormat
            | Self::PinDeclined
            | Self::PinTimeout
            | Self::PinNoScreen => Layer::Pin,
            Self::HostDied
            | Self::HostUnusable
            | Self::JobCancelled
            | Self::JobDeadline
            | Self::JobAbandoned
            | Self::LeaseLost
            | Self::AuditUnavailable
            | Self::AgentStopping
            | Self::AgentInternal => Layer::Agent,
            Self::DoorHost
            | Self::DoorOrigin
            | Self::DoorContext
            | Self::DoorToken
            | Self::DoorTokenExpired
            | Self::DoorNonce
            | Self::DoorGrant
            | Self::DoorSchema
            | Self::DoorTooLarge
            | Self::DoorTooMany
            | Self::DoorNotFound
            | Self::DoorConflict
            | Self::DoorGone => Layer::Door,
        }
    }

    /// Whether doing the same again can succeed.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::ServiceAbsent
            | Self::ReaderGone
            | Self::ReaderBusy
            | Self::PinNoScreen
            | Self::DoorTooMany
            | Self::AuditUnavailable
            | Self::AgentStopping => Retry::Later,
            Self::ServiceLost
            | Self::ReaderHung
            | Self::ReaderFailed
            | Self::CardTimeout
            | Self::CardRemoved
            | Self::CardMute
            | Self::CardInterrupted
            | Self::CardGarbled
            | Self::PinWrong
            | Self::PinUnknown
            | Self::PinFormat
            | Self::PinDeclined
            | Self::PinTimeout
            | Self::HostDied
            | Self::JobCancelled
            | Self::JobDeadline
            | Self::JobAbandoned
            | Self::LeaseLost
            | Self::DoorTokenExpired
            | Self::DoorNonce
            | Self::AgentInternal => Retry::Now,
            Self::ReaderDenied
            | Self::CardUnknown
            | Self::CardRefused
            | Self::PinBlocked
            | Self::PinLastTry
            | Self::HostUnusable
            | Self::DoorHost
            | Self::DoorOrigin
            | Self::DoorContext
            | Self::DoorToken
            | Self::DoorGrant
            | Self::DoorSchema
            | Self::DoorTooLarge
            | Self::DoorNotFound
            | Self::DoorConflict
            | Self::DoorGone => Retry::Never,
        }
    }

    /// The sentences for people.
    #[must_use]
    pub const fn text(self) -> FaultText {
        let (ja, en, next_ja, next_en) = match self {
            Self::ServiceAbsent => (
                "カードサービスが動いていません。",
                "The smart-card service is not running.",
                "しばらく待っても直らない場合は、システム担当に連絡してください。",
                "If it does not return shortly, call operations; they start the PC/SC service.",
            ),
            Self::ServiceLost => (
                "読み取りの途中でカードサービスが止まりました。",
                "The smart-card service stopped during the operation.",
                "もう一度読み取ってください。",
                "Start the reading again.",
            ),
            Self::ReaderGone => (
                "カードリーダーが外れました。",
                "The card reader was unplugged.",
                "リーダーのケーブルを確かめて、つなぎ直してください。",
                "Check the reader's cable and plug it in again.",
            ),
            Self::ReaderBusy => (
                "ほかのプログラムがカードリーダーを使っています。",
                "Another program is using the card reader.",
                "ほかのカード用ソフトを閉じて、もう一度読み取ってください。",
                "Close the other card program and start again.",
            ),
            Self::ReaderDenied => (
                "カードリーダーを使う権限がありません。",
                "The operating system denies access to the card reader.",
                "システム担当に連絡してください。",
                "Call operations; the agent's user lacks permission for the reader.",
            ),
            Self::ReaderHung => (
                "カードリーダーが応答しなくなりました。",
                "The card reader stopped answering.",
                "カードを置き直して、もう一度読み取ってください。",
                "Take the card off, put it back and start again.",
            ),
            Self::ReaderFailed => (
                "カードリーダーで通信エラーが起きました。",
                "The card reader reported a communication error.",
                "カードを置き直して、もう一度読み取ってください。",
                "Take the card off, put it back and start again.",
            ),
            Self::CardTimeout => (
                "時間内にカードが置かれませんでした。",
                "No card was presented in time.",
                "もう一度始めて、カードを置いてもらってください。",
                "Start again and ask for the card.",
            ),
            Self::CardRemoved => (
                "読み取りの途中でカードが離れました。",
                "The card was lifted during the reading.",
                "カードを置いたまま、もう一度読み取ってください。",
                "Start again and leave the card on the reader until it is finished.",
            ),
            Self::CardMute => (
                "カードが応答しません。",
                "The card does not answer.",
                "カードの向きと位置を確かめて、もう一度置いてください。",
                "Check how the card lies and put it on again.",
            ),
            Self::CardInterrupted => (
                "ほかのプログラムがカードを操作したため、読み取りを中止しました。",
                "Another program reset the card during the reading.",
                "ほかのカード用ソフトを閉じて、もう一度読み取ってください。",
                "Close the other card program and start again.",
            ),
            Self::CardUnknown => (
                "マイナンバーカードではありません。",
                "This is not a My Number card.",
                "マイナンバーカードを置いてもらってください。",
                "Ask for a My Number card.",
            ),
            Self::CardGarbled => (
                "カードのデータを正しく読み取れませんでした。",
                "The card answered with data that make no sense.",
                "もう一度読み取り、続く場合はカードの故障を疑ってください。",
                "Start again; if it repeats, the card may be damaged.",
            ),
            Self::CardRefused => (
                "カードが操作を受け付けませんでした。",
                "The card refused a command.",
                "もう一度読み取り、続く場合はシステム担当に連絡してください。",
                "Start again; if it repeats, call operations.",
            ),
            Self::PinWrong => (
                "暗証番号が違います。",
                "The PIN is wrong.",
                "残り回数を伝え、確かめてから入力してもらってください。",
                "Tell the citizen how many tries are left before the next entry.",
            ),
            Self::PinBlocked => (
                "暗証番号がロックされています。",
                "The PIN is blocked.",
                "住民登録窓口での暗証番号の再設定を案内してください。",
                "Direct the citizen to the PIN reset at the resident-record counter.",
            ),
            Self::PinLastTry => (
                "暗証番号の残りが1回のため、入力を止めました。",
                "Only one PIN try is left, so none was spent.",
                "再設定を案内するか、権限のある職員が最後の1回を許可してください。",
                "Offer a PIN reset, or let authorised staff allow the last try.",
            ),
            Self::PinUnknown => (
                "暗証番号の照合中に通信が切れ、結果が分かりません。",
                "The connection broke while the PIN was checked; the outcome is unknown.",
                "もう一度読み取り、表示される残り回数を確かめてください。",
                "Start again and look at the number of tries left before the next entry.",
            ),
            Self::PinFormat => (
                "暗証番号の形が違います。",
                "The PIN does not have the right form.",
                "数字4桁（照合番号Bは14桁）を入力してもらってください。",
                "Enter 4 digits (14 for verification number B).",
            ),
            Self::PinDeclined => (
                "利用者が暗証番号の入力をやめました。",
                "The citizen declined to enter the PIN.",
                "利用者の意思を確かめてください。",
                "Ask the citizen how to go on.",
            ),
            Self::PinTimeout => (
                "時間内に暗証番号が入力されませんでした。",
                "No PIN was entered in time.",
                "もう一度始めてください。",
                "Start again.",
            ),
            Self::PinNoScreen => (
                "暗証番号を入力する画面がつながっていません。",
                "No PIN screen is paired with this counter.",
                "利用者側の画面を開き、表示された番号でこの窓口とつないでください。",
                "Open the citizen's screen and pair it with the code that it shows.",
            ),
            Self::HostDied => (
                "機器の制御プログラムが異常終了し、再起動しました。",
                "The driver process ended unexpectedly and was restarted.",
                "もう一度読み取り、続く場合はシステム担当に連絡してください。",
                "Start again; if it repeats, call operations.",
            ),
            Self::HostUnusable => (
                "機器の制御プログラムが正しく応答しません。",
                "The driver process does not follow its protocol.",
                "システム担当に連絡してください。",
                "Call operations; the driver host must be replaced.",
            ),
            Self::JobCancelled => (
                "処理を取り消しました。",
                "The job was cancelled.",
                "必要ならもう一度始めてください。",
                "Start again if needed.",
            ),
            Self::JobDeadline => (
                "時間内に終わりませんでした。",
                "The job did not finish in time.",
                "もう一度始めてください。",
                "Start again.",
            ),
            Self::JobAbandoned => (
                "窓口の画面が閉じたため、処理を中止しました。",
                "The page that asked for the job went away.",
                "画面を開き直して、もう一度始めてください。",
                "Open the page again and start again.",
            ),
            Self::LeaseLost => (
                "機器の占有が切れています。",
                "The lease of the device is not valid any more.",
                "もう一度始めてください。",
                "Take a new lease and start again.",
            ),
            Self::DoorHost => (
                "接続先の名前が正しくありません。",
                "The Host header does not name this agent.",
                "正しいアドレスで開いてください。",
                "Call the agent by its loopback address.",
            ),
            Self::DoorOrigin => (
                "このページには端末エージェントを使う許可がありません。",
                "This origin is not allowed to use the agent.",
                "システム担当に、このページの登録を依頼してください。",
                "Ask operations to enrol this origin.",
            ),
            Self::DoorContext => (
                "この呼び出し方は許可されていません。",
                "The request did not come from a script of an allowed page.",
                "窓口アプリから操作してください。",
                "Use the counter application.",
            ),
            Self::DoorToken => (
                "職員の認証情報が正しくありません。",
                "The counter token is missing or not valid.",
                "窓口アプリにログインし直してください。",
                "Log in to the counter application again.",
            ),
            Self::DoorTokenExpired => (
                "職員の認証情報の期限が切れました。",
                "The counter token has expired.",
                "窓口アプリが自動で更新します。続く場合はログインし直してください。",
                "Fetch a new token from the application's backend.",
            ),
            Self::DoorNonce => (
                "この操作には新しい確認が必要です。",
                "A privileged call needs a token with an unused nonce of this agent.",
                "もう一度操作してください。",
                "Fetch a nonce, have it signed into a token, and repeat.",
            ),
            Self::DoorGrant => (
                "この操作の権限がありません。",
                "Neither the origin's grant nor the token's scope covers this operation.",
                "権限のある職員に依頼してください。",
                "Ask a colleague who holds the right, or operations.",
            ),
            Self::DoorSchema => (
                "要求の形式が正しくありません。",
                "The request does not match the schema.",
                "窓口アプリの担当に連絡してください。",
                "Correct the request; see the API specification.",
            ),
            Self::DoorTooLarge => (
                "要求が大きすぎます。",
                "The request is too large.",
                "窓口アプリの担当に連絡してください。",
                "Send a smaller request.",
            ),
            Self::DoorTooMany => (
                "要求が多すぎます。",
                "Too many requests or connections.",
                "少し待ってからやり直してください。",
                "Wait a moment and try again.",
            ),
            Self::DoorNotFound => (
                "対象が見つかりません。",
                "There is no such thing.",
                "画面を更新してください。",
                "Refresh and try again.",
            ),
            Self::DoorConflict => (
                "今の状態ではこの操作はできません。",
                "The operation does not fit the present state.",
                "画面を更新してください。",
                "Refresh and look at the present state.",
            ),
            Self::DoorGone => (
                "結果はすでに受け取り済みです。",
                "The result has already been handed over.",
                "必要ならもう一度読み取ってください。",
                "Start a new job if needed.",
            ),
            Self::AuditUnavailable => (
                "監査ログに書き込めないため、処理を止めました。",
                "The audit log cannot be written, so nothing was handed out.",
                "システム担当に連絡してください。",
                "Call operations; look at the disk of this machine.",
            ),
            Self::AgentStopping => (
                "端末エージェントは停止中です。",
                "The agent is shutting down.",
                "少し待ってからやり直してください。",
                "Wait until the agent is back.",
            ),
            Self::AgentInternal => (
                "端末エージェントの内部で誤りが起きました。",
                "The agent failed internally.",
                "もう一度行い、続く場合は要求番号を添えて連絡してください。",
                "Try again; if it repeats, report the request id.",
            ),
        };
        FaultText { ja, en, next_ja, next_en }
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_in_the_documented_table_with_its_sentences() {
        let page = include_str!("../../../docs/errors.md");
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = FaultCode::ALL
            .iter()
            .map(|code| {
                let text = code.text();
                format!(
                    "| `{}` | {} | {} | {} | {} | {} | {} |",
                    code.as_str(),
                    code.layer().as_str(),
                    code.retry().as_str(),
                    text.en,
                    text.next_en,
                    text.ja,
                    text.next_ja
                )
            })
            .collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_code_is_found_by_its_stable_name() {
        for code in FaultCode::ALL {
            assert_eq!(FaultCode::from_code(code.as_str()), Some(*code));
        }
        assert_eq!(FaultCode::from_code("NO-SUCH"), None);
    }
}

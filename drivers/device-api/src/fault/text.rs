//! The sentences of every fault, a table in the shape of a match, so that no code can lack them.
//!
//! Each sentence is for a clerk at a counter: what happened, or the one next step.
//! A sentence may be improved at any time; programs look at the code only.

use super::FaultCode;

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

pub(super) const fn of(code: FaultCode) -> FaultText {
    let (ja, en, next_ja, next_en) = match code {
        FaultCode::ServiceAbsent => (
            "カードサービスが動いていません。",
            "The smart-card service is not running.",
            "しばらく待っても直らない場合は、システム担当に連絡してください。",
            "If it does not return shortly, call operations; they start the PC/SC service.",
        ),
        FaultCode::ServiceLost => (
            "読み取りの途中でカードサービスが止まりました。",
            "The smart-card service stopped during the operation.",
            "もう一度読み取ってください。",
            "Start the reading again.",
        ),
        FaultCode::ReaderGone => (
            "カードリーダーが外れました。",
            "The card reader was unplugged.",
            "リーダーのケーブルを確かめて、つなぎ直してください。",
            "Check the reader's cable and plug it in again.",
        ),
        FaultCode::ReaderBusy => (
            "ほかのプログラムがカードリーダーを使っています。",
            "Another program is using the card reader.",
            "ほかのカード用ソフトを閉じて、もう一度読み取ってください。",
            "Close the other card program and start again.",
        ),
        FaultCode::ReaderDenied => (
            "カードリーダーを使う権限がありません。",
            "The operating system denies access to the card reader.",
            "システム担当に連絡してください。",
            "Call operations; the agent's user lacks permission for the reader.",
        ),
        FaultCode::ReaderHung => (
            "カードリーダーが応答しなくなりました。",
            "The card reader stopped answering.",
            "カードを置き直して、もう一度読み取ってください。",
            "Take the card off, put it back and start again.",
        ),
        FaultCode::ReaderFailed => (
            "カードリーダーで通信エラーが起きました。",
            "The card reader reported a communication error.",
            "カードを置き直して、もう一度読み取ってください。",
            "Take the card off, put it back and start again.",
        ),
        FaultCode::CardTimeout => (
            "時間内にカードが置かれませんでした。",
            "No card was presented in time.",
            "もう一度始めて、カードを置いてもらってください。",
            "Start again and ask for the card.",
        ),
        FaultCode::CardRemoved => (
            "読み取りの途中でカードが離れました。",
            "The card was lifted during the reading.",
            "カードを置いたまま、もう一度読み取ってください。",
            "Start again and leave the card on the reader until it is finished.",
        ),
        FaultCode::CardMute => (
            "カードが応答しません。",
            "The card does not answer.",
            "カードの向きと位置を確かめて、もう一度置いてください。",
            "Check how the card lies and put it on again.",
        ),
        FaultCode::CardInterrupted => (
            "ほかのプログラムがカードを操作したため、読み取りを中止しました。",
            "Another program reset the card during the reading.",
            "ほかのカード用ソフトを閉じて、もう一度読み取ってください。",
            "Close the other card program and start again.",
        ),
        FaultCode::CardUnknown => (
            "マイナンバーカードではありません。",
            "This is not a My Number card.",
            "マイナンバーカードを置いてもらってください。",
            "Ask for a My Number card.",
        ),
        FaultCode::CardGarbled => (
            "カードのデータを正しく読み取れませんでした。",
            "The card answered with data that make no sense.",
            "もう一度読み取り、続く場合はカードの故障を疑ってください。",
            "Start again; if it repeats, the card may be damaged.",
        ),
        FaultCode::CardRefused => (
            "カードが操作を受け付けませんでした。",
            "The card refused a command.",
            "もう一度読み取り、続く場合はシステム担当に連絡してください。",
            "Start again; if it repeats, call operations.",
        ),
        FaultCode::PinWrong => (
            "暗証番号が違います。",
            "The PIN is wrong.",
            "残り回数を伝え、確かめてから入力してもらってください。",
            "Tell the citizen how many tries are left before the next entry.",
        ),
        FaultCode::PinBlocked => (
            "暗証番号がロックされています。",
            "The PIN is blocked.",
            "住民登録窓口での暗証番号の再設定を案内してください。",
            "Direct the citizen to the PIN reset at the resident-record counter.",
        ),
        FaultCode::PinLastTry => (
            "暗証番号の残りが1回のため、入力を止めました。",
            "Only one PIN try is left, so none was spent.",
            "再設定を案内するか、権限のある職員が最後の1回を許可してください。",
            "Offer a PIN reset, or let authorised staff allow the last try.",
        ),
        FaultCode::PinUnknown => (
            "暗証番号の照合中に通信が切れ、結果が分かりません。",
            "The connection broke while the PIN was checked; the outcome is unknown.",
            "もう一度読み取り、表示される残り回数を確かめてください。",
            "Start again and look at the number of tries left before the next entry.",
        ),
        FaultCode::PinFormat => (
            "暗証番号の形が違います。",
            "The PIN does not have the right form.",
            "数字4桁（照合番号Bは14桁）を入力してもらってください。",
            "Enter 4 digits (14 for verification number B).",
        ),
        FaultCode::PinDeclined => (
            "利用者が暗証番号の入力をやめました。",
            "The citizen declined to enter the PIN.",
            "利用者の意思を確かめてください。",
            "Ask the citizen how to go on.",
        ),
        FaultCode::PinTimeout => (
            "時間内に暗証番号が入力されませんでした。",
            "No PIN was entered in time.",
            "もう一度始めてください。",
            "Start again.",
        ),
        FaultCode::PinNoScreen => (
            "暗証番号を入力する画面がつながっていません。",
            "No PIN screen is paired with this counter.",
            "利用者側の画面を開き、表示された番号でこの窓口とつないでください。",
            "Open the citizen's screen and pair it with the code that it shows.",
        ),
        FaultCode::PinNoPad => (
            "このカードリーダーには、暗証番号を入力するキーがありません。",
            "This card reader has no keys for a PIN.",
            "利用者側の画面で入力してもらうか、キーのあるリーダーを使ってください。",
            "Ask for the PIN on the citizen's screen, or use a reader that has keys.",
        ),
        FaultCode::HostDied => (
            "機器の制御プログラムが異常終了し、再起動しました。",
            "The driver process ended unexpectedly and was restarted.",
            "もう一度読み取り、続く場合はシステム担当に連絡してください。",
            "Start again; if it repeats, call operations.",
        ),
        FaultCode::HostUnusable => (
            "機器の制御プログラムが正しく応答しません。",
            "The driver process does not follow its protocol.",
            "システム担当に連絡してください。",
            "Call operations; the driver host must be replaced.",
        ),
        FaultCode::JobCancelled => (
            "処理を取り消しました。",
            "The job was cancelled.",
            "必要ならもう一度始めてください。",
            "Start again if needed.",
        ),
        FaultCode::JobDeadline => (
            "時間内に終わりませんでした。",
            "The job did not finish in time.",
            "もう一度始めてください。",
            "Start again.",
        ),
        FaultCode::JobAbandoned => (
            "窓口の画面が閉じたため、処理を中止しました。",
            "The page that asked for the job went away.",
            "画面を開き直して、もう一度始めてください。",
            "Open the page again and start again.",
        ),
        FaultCode::LeaseLost => (
            "機器の占有が切れています。",
            "The lease of the device is not valid any more.",
            "もう一度始めてください。",
            "Take a new lease and start again.",
        ),
        FaultCode::DoorHost => (
            "接続先の名前が正しくありません。",
            "The Host header does not name this agent.",
            "正しいアドレスで開いてください。",
            "Call the agent by its loopback address.",
        ),
        FaultCode::DoorOrigin => (
            "このページには端末エージェントを使う許可がありません。",
            "This origin is not allowed to use the agent.",
            "システム担当に、このページの登録を依頼してください。",
            "Ask operations to enrol this origin.",
        ),
        FaultCode::DoorContext => (
            "この呼び出し方は許可されていません。",
            "The request did not come from a script of an allowed page.",
            "窓口アプリから操作してください。",
            "Use the counter application.",
        ),
        FaultCode::DoorToken => (
            "職員の認証情報が正しくありません。",
            "The counter token is missing or not valid.",
            "窓口アプリにログインし直してください。",
            "Log in to the counter application again.",
        ),
        FaultCode::DoorTokenExpired => (
            "職員の認証情報の期限が切れました。",
            "The counter token has expired.",
            "窓口アプリが自動で更新します。続く場合はログインし直してください。",
            "Fetch a new token from the application's backend.",
        ),
        FaultCode::DoorNonce => (
            "この操作には新しい確認が必要です。",
            "A privileged call needs a token with an unused nonce of this agent.",
            "もう一度操作してください。",
            "Fetch a nonce, have it signed into a token, and repeat.",
        ),
        FaultCode::DoorGrant => (
            "この操作の権限がありません。",
            "Neither the origin's grant nor the token's scope covers this operation.",
            "権限のある職員に依頼してください。",
            "Ask a colleague who holds the right, or operations.",
        ),
        FaultCode::DoorSchema => (
            "要求の形式が正しくありません。",
            "The request does not match the schema.",
            "窓口アプリの担当に連絡してください。",
            "Correct the request; see the API specification.",
        ),
        FaultCode::DoorTooLarge => (
            "要求が大きすぎます。",
            "The request is too large.",
            "窓口アプリの担当に連絡してください。",
            "Send a smaller request.",
        ),
        FaultCode::DoorTooMany => (
            "要求が多すぎます。",
            "Too many requests or connections.",
            "少し待ってからやり直してください。",
            "Wait a moment and try again.",
        ),
        FaultCode::DoorNotFound => (
            "対象が見つかりません。",
            "There is no such thing.",
            "画面を更新してください。",
            "Refresh and try again.",
        ),
        FaultCode::DoorConflict => (
            "今の状態ではこの操作はできません。",
            "The operation does not fit the present state.",
            "画面を更新してください。",
            "Refresh and look at the present state.",
        ),
        FaultCode::DoorGone => (
            "結果はすでに受け取り済みです。",
            "The result has already been handed over.",
            "必要ならもう一度読み取ってください。",
            "Start a new job if needed.",
        ),
        FaultCode::AuditUnavailable => (
            "監査ログに書き込めないため、処理を止めました。",
            "The audit log cannot be written, so nothing was handed out.",
            "システム担当に連絡してください。",
            "Call operations; look at the disk of this machine.",
        ),
        FaultCode::AgentStopping => (
            "端末エージェントは停止中です。",
            "The agent is shutting down.",
            "少し待ってからやり直してください。",
            "Wait until the agent is back.",
        ),
        FaultCode::AgentInternal => (
            "端末エージェントの内部で誤りが起きました。",
            "The agent failed internally.",
            "もう一度行い、続く場合は要求番号を添えて連絡してください。",
            "Try again; if it repeats, report the request id.",
        ),
    };
    FaultText {
        ja,
        en,
        next_ja,
        next_en,
    }
}

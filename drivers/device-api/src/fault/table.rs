//! Every fault, once: its code, its layer, whether trying again can help, and its sentences.
//!
//! Long because it is one table; each entry is read alone.
//! The sentences are for a clerk at a counter: what happened, and the one next step.
//! A sentence may be improved at any time; programs look at the code only.

use super::{FaultText, Layer, Retry};

/// Makes the enum and everything that is known of each code from one table, so that nothing can lack.
macro_rules! faults {
    ($($name:ident $code:literal $layer:ident $retry:ident
        [$en:literal $next_en:literal]
        [$ja:literal $next_ja:literal])*) => {
        /// A way in which a job or a request can fail.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum FaultCode {
            $(#[doc = concat!("`", $code, "`: ", $en)] $name,)*
        }

        impl FaultCode {
            /// Every code, in the order of `docs/errors.md`.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable code, such as `CRD-REMOVED`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The layer that failed.
            #[must_use]
            pub const fn layer(self) -> Layer {
                match self { $(Self::$name => Layer::$layer,)* }
            }

            /// Whether doing the same again can succeed.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry,)* }
            }

            /// The sentences for people.
            #[must_use]
            pub const fn text(self) -> FaultText {
                match self {
                    $(Self::$name => FaultText {
                        en: $en, next_en: $next_en, ja: $ja, next_ja: $next_ja,
                    },)*
                }
            }
        }
    };
}

faults! {
    ServiceAbsent "SVC-ABSENT" Service Later
        ["The smart-card service is not running."
         "If it does not return shortly, call operations; they start the PC/SC service."]
        ["カードサービスが動いていません。"
         "しばらく待っても直らない場合は、システム担当に連絡してください。"]
    ServiceLost "SVC-LOST" Service Now
        ["The smart-card service stopped during the operation."
         "Start the reading again."]
        ["読み取りの途中でカードサービスが止まりました。"
         "もう一度読み取ってください。"]
    ReaderGone "RDR-GONE" Device Later
        ["The card reader was unplugged."
         "Check the reader's cable and plug it in again."]
        ["カードリーダーが外れました。"
         "リーダーのケーブルを確かめて、つなぎ直してください。"]
    ReaderBusy "RDR-BUSY" Device Later
        ["Another program is using the card reader."
         "Close the other card program and start again."]
        ["ほかのプログラムがカードリーダーを使っています。"
         "ほかのカード用ソフトを閉じて、もう一度読み取ってください。"]
    ReaderDenied "RDR-DENIED" Device Never
        ["The operating system denies access to the card reader."
         "Call operations; the agent's user lacks permission for the reader."]
        ["カードリーダーを使う権限がありません。"
         "システム担当に連絡してください。"]
    ReaderHung "RDR-HUNG" Device Now
        ["The card reader stopped answering."
         "Take the card off, put it back and start again."]
        ["カードリーダーが応答しなくなりました。"
         "カードを置き直して、もう一度読み取ってください。"]
    ReaderFailed "RDR-FAILED" Device Now
        ["The card reader reported a communication error."
         "Take the card off, put it back and start again."]
        ["カードリーダーで通信エラーが起きました。"
         "カードを置き直して、もう一度読み取ってください。"]
    CardTimeout "CRD-TIMEOUT" Card Now
        ["No card was presented in time."
         "Start again and ask for the card."]
        ["時間内にカードが置かれませんでした。"
         "もう一度始めて、カードを置いてもらってください。"]
    CardRemoved "CRD-REMOVED" Card Now
        ["The card was lifted during the reading."
         "Start again and leave the card on the reader until it is finished."]
        ["読み取りの途中でカードが離れました。"
         "カードを置いたまま、もう一度読み取ってください。"]
    CardMute "CRD-MUTE" Card Now
        ["The card does not answer."
         "Check how the card lies and put it on again."]
        ["カードが応答しません。"
         "カードの向きと位置を確かめて、もう一度置いてください。"]
    CardInterrupted "CRD-INTERRUPTED" Card Now
        ["Another program reset the card during the reading."
         "Close the other card program and start again."]
        ["ほかのプログラムがカードを操作したため、読み取りを中止しました。"
         "ほかのカード用ソフトを閉じて、もう一度読み取ってください。"]
    CardUnknown "CRD-UNKNOWN" Card Never
        ["This is not a My Number card."
         "Ask for a My Number card."]
        ["マイナンバーカードではありません。"
         "マイナンバーカードを置いてもらってください。"]
    CardGarbled "CRD-GARBLED" Card Now
        ["The card answered with data that make no sense."
         "Start again; if it repeats, the card may be damaged."]
        ["カードのデータを正しく読み取れませんでした。"
         "もう一度読み取り、続く場合はカードの故障を疑ってください。"]
    CardRefused "CRD-REFUSED" Card Never
        ["The card refused a command."
         "Start again; if it repeats, call operations."]
        ["カードが操作を受け付けませんでした。"
         "もう一度読み取り、続く場合はシステム担当に連絡してください。"]
    PinWrong "PIN-WRONG" Pin Now
        ["The PIN is wrong."
         "Tell the citizen how many tries are left before the next entry."]
        ["暗証番号が違います。"
         "残り回数を伝え、確かめてから入力してもらってください。"]
    PinBlocked "PIN-BLOCKED" Pin Never
        ["The PIN is blocked."
         "Direct the citizen to the PIN reset at the resident-record counter."]
        ["暗証番号がロックされています。"
         "住民登録窓口での暗証番号の再設定を案内してください。"]
    PinLastTry "PIN-LAST-TRY" Pin Never
        ["Only one PIN try is left, so none was spent."
         "Offer a PIN reset, or let authorised staff allow the last try."]
        ["暗証番号の残りが1回のため、入力を止めました。"
         "再設定を案内するか、権限のある職員が最後の1回を許可してください。"]
    PinUnknown "PIN-UNKNOWN" Pin Now
        ["The connection broke while the PIN was checked; the outcome is unknown."
         "Start again and look at the number of tries left before the next entry."]
        ["暗証番号の照合中に通信が切れ、結果が分かりません。"
         "もう一度読み取り、表示される残り回数を確かめてください。"]
    PinFormat "PIN-FORMAT" Pin Now
        ["The PIN does not have the right form."
         "Enter 4 digits (14 for verification number B)."]
        ["暗証番号の形が違います。"
         "数字4桁（照合番号Bは14桁）を入力してもらってください。"]
    PinDeclined "PIN-DECLINED" Pin Now
        ["The citizen declined to enter the PIN."
         "Ask the citizen how to go on."]
        ["利用者が暗証番号の入力をやめました。"
         "利用者の意思を確かめてください。"]
    PinTimeout "PIN-TIMEOUT" Pin Now
        ["No PIN was entered in time."
         "Start again."]
        ["時間内に暗証番号が入力されませんでした。"
         "もう一度始めてください。"]
    PinNoScreen "PIN-NO-SCREEN" Pin Later
        ["No PIN screen is paired with this counter."
         "Open the citizen's screen and pair it with the code that it shows."]
        ["暗証番号を入力する画面がつながっていません。"
         "利用者側の画面を開き、表示された番号でこの窓口とつないでください。"]
    PinNoPad "PIN-NO-PAD" Pin Never
        ["This card reader has no keys for a PIN."
         "Ask for the PIN on the citizen's screen, or use a reader that has keys."]
        ["このカードリーダーには、暗証番号を入力するキーがありません。"
         "利用者側の画面で入力してもらうか、キーのあるリーダーを使ってください。"]
    DeviceGone "DEV-GONE" Device Later
        ["The device was unplugged or switched off."
         "Check its cable and power, then start again."]
        ["機器が外れたか、電源が切れています。"
         "ケーブルと電源を確かめてください。"]
    DeviceBusy "DEV-BUSY" Device Later
        ["Another program is using the device."
         "Close the other program and start again."]
        ["ほかのプログラムが機器を使っています。"
         "ほかのソフトを閉じて、もう一度始めてください。"]
    DeviceDenied "DEV-DENIED" Device Never
        ["The operating system denies access to the device."
         "Call operations; the agent's user lacks permission for the device."]
        ["機器を使う権限がありません。"
         "システム担当に連絡してください。"]
    DeviceHung "DEV-HUNG" Device Now
        ["The device stopped answering."
         "Start again; if it repeats, switch the device off and on."]
        ["機器が応答しなくなりました。"
         "もう一度行い、続く場合は機器の電源を入れ直してください。"]
    DeviceFailed "DEV-FAILED" Device Now
        ["The device reported an error or could not be understood."
         "Start again; if it repeats, call operations."]
        ["機器でエラーが起きました。"
         "もう一度行い、続く場合はシステム担当に連絡してください。"]
    DeviceUnsupported "DEV-UNSUPPORTED" Device Never
        ["The device cannot do this."
         "Use another device, or call operations."]
        ["この機器ではできません。"
         "別の機器を使うか、システム担当に連絡してください。"]
    ScannerTimeout "SCN-TIMEOUT" Person Now
        ["No code was read in time."
         "Start again and hold the code in front of the scanner."]
        ["時間内にコードが読み取られませんでした。"
         "もう一度始めて、コードをかざしてください。"]
    ScannerGarbled "SCN-GARBLED" Content Now
        ["What the scanner sent makes no sense."
         "Scan the code again."]
        ["コードのデータを正しく受け取れませんでした。"
         "コードをもう一度読み取ってください。"]
    ScannerTooLong "SCN-TOO-LONG" Content Never
        ["The code is longer than any code that is accepted here."
         "Check which code was scanned."]
        ["コードが長すぎます。"
         "読み取ったコードを確かめてください。"]
    ScannerIncomplete "SCN-INCOMPLETE" Content Now
        ["Only a part of a code that was split over several was scanned."
         "Scan all parts again, one after the other."]
        ["分割されたコードの一部しか読み取れませんでした。"
         "すべてのコードを続けて読み取ってください。"]
    ScannerUntrusted "SCN-UNTRUSTED" Content Never
        ["The pre-application code was not made by this city's form, or was changed."
         "Take the application at the counter instead."]
        ["事前申請のコードが正しいものと確かめられません。"
         "窓口で申請を受け付けてください。"]
    ScannerExpired "SCN-EXPIRED" Content Never
        ["The pre-application code has expired."
         "Ask for a new one, or take the application at the counter."]
        ["事前申請のコードの有効期限が切れています。"
         "作り直してもらうか、窓口で申請を受け付けてください。"]
    ScannerReplayed "SCN-REPLAYED" Content Never
        ["This pre-application code was already taken in."
         "Check whether the application has been received before."]
        ["この事前申請はすでに受け付けています。"
         "受付済みでないか確かめてください。"]
    SignatureDeclined "SIG-DECLINED" Person Now
        ["The citizen declined to sign."
         "Ask the citizen how to go on."]
        ["利用者が署名をやめました。"
         "利用者の意思を確かめてください。"]
    SignatureTimeout "SIG-TIMEOUT" Person Now
        ["Nobody signed in time."
         "Start again when the citizen is ready."]
        ["時間内に署名されませんでした。"
         "利用者の準備ができたら、もう一度始めてください。"]
    SignatureEmpty "SIG-EMPTY" Person Now
        ["The signature was confirmed without a stroke."
         "Start again and ask for the signature."]
        ["署名が書かれないまま確定されました。"
         "もう一度始めて、署名してもらってください。"]
    SignatureDocument "SIG-DOCUMENT" Content Never
        ["The document that is to be signed cannot be shown."
         "Check the file; a PDF or PNG without a password is needed."]
        ["署名する書類を表示できません。"
         "パスワードのないPDFまたはPNGか確かめてください。"]
    SignatureNoScreen "SIG-NO-SCREEN" Device Later
        ["No citizen's screen is paired with this counter."
         "Open the citizen's screen and pair it with the code that it shows."]
        ["利用者側の画面がつながっていません。"
         "利用者側の画面を開き、表示された番号でこの窓口とつないでください。"]
    SignatureCalibration "SIG-CALIBRATION" Person Now
        ["A tap was too far from its cross, so the tablet is not calibrated; nothing has changed."
         "Start again, and touch the middle of each cross with the pen."]
        ["十字から離れた所が押されたため、ペンの位置合わせができませんでした。設定は変わっていません。"
         "もう一度始めて、それぞれの十字の中心をペンで押してください。"]
    PrinterPaperOut "PRN-PAPER-OUT" Device Later
        ["The printer has no paper; nothing was printed."
         "Put paper in and print again."]
        ["プリンターの用紙がありません。印刷されていません。"
         "用紙を入れて、もう一度印刷してください。"]
    PrinterPaperLow "PRN-PAPER-LOW" Device Later
        ["The printer's paper is running out."
         "Have a new roll ready."]
        ["プリンターの用紙が残りわずかです。"
         "新しいロール紙を用意してください。"]
    PrinterCoverOpen "PRN-COVER-OPEN" Device Later
        ["The printer's cover is open."
         "Close the cover and print again."]
        ["プリンターのカバーが開いています。"
         "カバーを閉めて、もう一度印刷してください。"]
    PrinterCutter "PRN-CUTTER" Device Later
        ["The printer's cutter is stuck."
         "Open the cover, remove the paper, close it and print again."]
        ["プリンターのカッターが止まっています。"
         "カバーを開けて紙を取り除き、閉めてから印刷してください。"]
    PrinterHot "PRN-HOT" Device Later
        ["The print head is too hot."
         "Wait a moment and print again."]
        ["プリンターが熱くなっています。"
         "少し待ってから、もう一度印刷してください。"]
    PrinterOffline "PRN-OFFLINE" Device Later
        ["The printer is not ready."
         "Look at the printer's display, then print again."]
        ["プリンターの準備ができていません。"
         "プリンターの表示を確かめてから、もう一度印刷してください。"]
    PrinterWorn "PRN-WORN" Device Later
        ["A part of the printer is near the end of its rated life."
         "Tell operations; the part should be replaced soon."]
        ["プリンターの部品が交換時期に近づいています。"
         "システム担当に交換を依頼してください。"]
    PrinterUnknown "PRN-UNKNOWN" Device Never
        ["Nobody knows whether the paper came out."
         "Look at the printer and say whether the paper came out."]
        ["印刷できたかどうか分かりません。"
         "プリンターを見て、紙が出たかどうかを選んでください。"]
    PrinterContent "PRN-CONTENT" Content Never
        ["What is to be printed cannot be printed as it is."
         "Check the text; a character may be missing from all fonts."]
        ["印刷できない文字や内容があります。"
         "内容を確かめ、システム担当に連絡してください。"]
    PrinterDuplicate "PRN-DUPLICATE" Content Never
        ["This ticket has already been printed."
         "Reissue it if a second paper is needed; it will be marked."]
        ["この番号札はすでに印刷されています。"
         "もう一枚必要な場合は、再発行してください。"]
    PrinterRejected "PRN-REJECTED" Content Never
        ["The printer refused the document."
         "Check the document and the printer's settings."]
        ["プリンターが書類を受け付けませんでした。"
         "書類とプリンターの設定を確かめてください。"]
    DocumentNoPaper "DOC-NO-PAPER" Device Now
        ["There is no paper in the scanner's feeder."
         "Put the paper in and start again."]
        ["スキャナーに用紙がありません。"
         "用紙を置いて、もう一度始めてください。"]
    DocumentJam "DOC-JAM" Device Now
        ["Paper is jammed in the scanner."
         "Open the scanner, take the paper out and start again."]
        ["スキャナーで用紙が詰まりました。"
         "スキャナーを開けて用紙を取り除き、もう一度始めてください。"]
    DocumentCoverOpen "DOC-COVER-OPEN" Device Now
        ["The scanner's cover is open."
         "Close the cover and start again."]
        ["スキャナーのカバーが開いています。"
         "カバーを閉めて、もう一度始めてください。"]
    DocumentGarbled "DOC-GARBLED" Content Now
        ["The picture that the scanner sent is damaged."
         "Scan again."]
        ["スキャナーの画像が壊れています。"
         "もう一度読み取ってください。"]
    DocumentTooLarge "DOC-TOO-LARGE" Content Never
        ["The document is too large."
         "Scan fewer pages at once, or at a lower resolution."]
        ["書類が大きすぎます。"
         "枚数を分けるか、解像度を下げてください。"]
    DocumentSettings "DOC-SETTINGS" Content Never
        ["The scanner does not offer this source, resolution or colour."
         "Choose other settings."]
        ["スキャナーはこの設定に対応していません。"
         "別の設定を選んでください。"]
    HandoverExists "HND-EXISTS" Content Never
        ["A file of this name is already there; it was not overwritten."
         "Check whether the data have been handed over before."]
        ["同じ名前のファイルがあるため、書き込みませんでした。"
         "すでに連携済みでないか確かめてください。"]
    HandoverUnmappable "HND-UNMAPPABLE" Content Never
        ["The receiving system cannot take a character of the data."
         "Look at the character that is named and decide how to write it."]
        ["連携先で扱えない文字が含まれています。"
         "表示された文字を確かめ、書き方を決めてください。"]
    HandoverTemplate "HND-TEMPLATE" Content Never
        ["The template of the file cannot be used."
         "Call operations."]
        ["連携ファイルのひな形が使えません。"
         "システム担当に連絡してください。"]
    HandoverFolder "HND-FOLDER" Service Later
        ["The folder for handing over cannot be written."
         "Call operations; look at the share and its free space."]
        ["連携先のフォルダーに書き込めません。"
         "システム担当に連絡してください。"]
    HandoverValue "HND-VALUE" Content Never
        ["A value is missing or does not have the form that the receiving system needs."
         "Correct the value that is named."]
        ["値が足りないか、連携先の形式に合いません。"
         "表示された項目を直してください。"]
    KeystrokeFocus "KEY-FOCUS" Service Now
        ["The window that is to be filled in is not in front."
         "Bring the form to the front and start again."]
        ["入力先の画面が前面にありません。"
         "入力先の画面を前に出して、もう一度始めてください。"]
    KeystrokeAborted "KEY-ABORTED" Person Now
        ["The typing was stopped by a person."
         "Look at what has been typed, then start again if needed."]
        ["入力を途中で止めました。"
         "入力された内容を確かめ、必要ならもう一度始めてください。"]
    KeystrokeUntypable "KEY-UNTYPABLE" Content Never
        ["A character cannot be typed into this form."
         "Type it by hand."]
        ["この画面に入力できない文字があります。"
         "その文字は手で入力してください。"]
    KeystrokeUnavailable "KEY-UNAVAILABLE" Service Never
        ["Nothing can be typed on this machine now."
         "Call operations; no desktop is reachable."]
        ["この端末では自動入力を使えません。"
         "システム担当に連絡してください。"]
    HostDied "HST-DIED" Agent Now
        ["The driver process ended unexpectedly and was restarted."
         "Start again; if it repeats, call operations."]
        ["機器の制御プログラムが異常終了し、再起動しました。"
         "もう一度読み取り、続く場合はシステム担当に連絡してください。"]
    HostUnusable "HST-UNUSABLE" Agent Never
        ["The driver process does not follow its protocol."
         "Call operations; the driver host must be replaced."]
        ["機器の制御プログラムが正しく応答しません。"
         "システム担当に連絡してください。"]
    HostNotAllowed "HST-NOT-ALLOWED" Agent Never
        ["The driver program is not on the list of allowed programs."
         "Call operations; the program must be signed and listed."]
        ["許可されていない制御プログラムです。"
         "システム担当に連絡してください。"]
    JobCancelled "JOB-CANCELLED" Agent Now
        ["The job was cancelled."
         "Start again if needed."]
        ["処理を取り消しました。"
         "必要ならもう一度始めてください。"]
    JobDeadline "JOB-DEADLINE" Agent Now
        ["The job did not finish in time."
         "Start again."]
        ["時間内に終わりませんでした。"
         "もう一度始めてください。"]
    JobAbandoned "JOB-ABANDONED" Agent Now
        ["The page that asked for the job went away."
         "Open the page again and start again."]
        ["窓口の画面が閉じたため、処理を中止しました。"
         "画面を開き直して、もう一度始めてください。"]
    LeaseLost "LSE-LOST" Agent Now
        ["The lease of the device is not valid any more."
         "Take a new lease and start again."]
        ["機器の占有が切れています。"
         "もう一度始めてください。"]
    DoorHost "DOR-HOST" Door Never
        ["The Host header does not name this agent."
         "Call the agent by its loopback address."]
        ["接続先の名前が正しくありません。"
         "正しいアドレスで開いてください。"]
    DoorOrigin "DOR-ORIGIN" Door Never
        ["This origin is not allowed to use the agent."
         "Ask operations to enrol this origin."]
        ["このページには端末エージェントを使う許可がありません。"
         "システム担当に、このページの登録を依頼してください。"]
    DoorContext "DOR-CONTEXT" Door Never
        ["The request did not come from a script of an allowed page."
         "Use the counter application."]
        ["この呼び出し方は許可されていません。"
         "窓口アプリから操作してください。"]
    DoorToken "DOR-TOKEN" Door Never
        ["The counter token is missing or not valid."
         "Log in to the counter application again."]
        ["職員の認証情報が正しくありません。"
         "窓口アプリにログインし直してください。"]
    DoorTokenExpired "DOR-TOKEN-EXPIRED" Door Now
        ["The counter token has expired."
         "Fetch a new token from the application's backend."]
        ["職員の認証情報の期限が切れました。"
         "窓口アプリが自動で更新します。続く場合はログインし直してください。"]
    DoorNonce "DOR-NONCE" Door Now
        ["A privileged call needs a token with an unused nonce of this agent."
         "Fetch a nonce, have it signed into a token, and repeat."]
        ["この操作には新しい確認が必要です。"
         "もう一度操作してください。"]
    DoorGrant "DOR-GRANT" Door Never
        ["Neither the origin's grant nor the token's scope covers this operation."
         "Ask a colleague who holds the right, or operations."]
        ["この操作の権限がありません。"
         "権限のある職員に依頼してください。"]
    DoorSchema "DOR-SCHEMA" Door Never
        ["The request does not match the schema."
         "Correct the request; see the API specification."]
        ["要求の形式が正しくありません。"
         "窓口アプリの担当に連絡してください。"]
    DoorTooLarge "DOR-TOO-LARGE" Door Never
        ["The request is too large."
         "Send a smaller request."]
        ["要求が大きすぎます。"
         "窓口アプリの担当に連絡してください。"]
    DoorTooMany "DOR-TOO-MANY" Door Later
        ["Too many requests or connections."
         "Wait a moment and try again."]
        ["要求が多すぎます。"
         "少し待ってからやり直してください。"]
    DoorNotFound "DOR-NOT-FOUND" Door Never
        ["There is no such thing."
         "Refresh and try again."]
        ["対象が見つかりません。"
         "画面を更新してください。"]
    DoorConflict "DOR-CONFLICT" Door Never
        ["The operation does not fit the present state."
         "Refresh and look at the present state."]
        ["今の状態ではこの操作はできません。"
         "画面を更新してください。"]
    DoorGone "DOR-GONE" Door Never
        ["The result has already been handed over."
         "Start a new job if needed."]
        ["結果はすでに受け取り済みです。"
         "必要ならもう一度読み取ってください。"]
    AuditUnavailable "AGT-AUDIT" Agent Later
        ["The audit log cannot be written, so nothing was handed out."
         "Call operations; look at the disk of this machine."]
        ["監査ログに書き込めないため、処理を止めました。"
         "システム担当に連絡してください。"]
    AgentStopping "AGT-STOPPING" Agent Later
        ["The agent is shutting down."
         "Wait until the agent is back."]
        ["端末エージェントは停止中です。"
         "少し待ってからやり直してください。"]
    AgentLocked "AGT-LOCKED" Agent Later
        ["An operator has taken this machine out of service."
         "Use another counter; operations can put it back into service."]
        ["この端末は運用担当者により利用停止中です。"
         "別の窓口を利用し、必要ならシステム担当に連絡してください。"]
    AgentInternal "AGT-INTERNAL" Agent Now
        ["The agent failed internally."
         "Try again; if it repeats, report the request id."]
        ["端末エージェントの内部で誤りが起きました。"
         "もう一度行い、続く場合は要求番号を添えて連絡してください。"]
}

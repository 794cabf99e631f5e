# The page's words in Japanese.

## Signing in

welcome = Hubbub へようこそ
welcome-lead = だれもが自分の言語で読めるチャットです。
how-to-enter = 入り方
enter-guest = ゲスト
enter-register = 新規登録
enter-login = ログイン
enter = 入る
entering = 接続中…
your-name = お名前
password = パスワード
password-hint = 8 文字以上
preferred-language = 読みたい言語
preferred-language-hint = ほかの言語のメッセージはこの言語に翻訳されます。
understood-languages = わかる言語
understood-languages-hint = これらの言語のメッセージはそのまま表示されます。
add-language = 言語を追加…
remove-language = { $language }を外す
move-up = { $language }を上へ
page-language = このページの言語
no-connection = サーバーに接続できません。

## Rooms

rooms = ルーム
room = ルーム
direct-messages = ダイレクトメッセージ
open-rooms = 参加できるルーム
find-room = ルームを探す
no-rooms-found = その名前のルームはありません。
create-room = 新しいルーム
create = 作成
room-name = 名前
topic = トピック
room-kind = 参加できる人
kind-open = だれでも
kind-open-hint = 一覧に表示され、だれでも参加できます。
kind-unlisted = 知っている人
kind-unlisted-hint = 一覧には出ませんが、ID を知っていれば参加できます。
kind-members = 招待された人
kind-members-hint = メンバーだけに見えます。
room-menu = このルームのメニュー
room-settings = ルームの設定
room-id = このルームの ID：
room-failed = ルームを開けません
retention = メッセージの保存期間
moderated = 発言権のある人だけが発言できる
keep-for-ever = 無期限
invite = 招待
invite-hint = ルームで会った人ややりとりした人の名前
export-jsonl = JSON Lines で保存
export-html = ページとして保存
leave-room = 退室する
leave-room-question = { $room }から退室しますか？
no-room = ルームが開かれていません
no-room-hint = 一覧から選ぶか、新しく作ってください。
empty-room = まだ何も話されていません
empty-room-hint = あなたの言語で最初のメッセージをどうぞ。
room-start = ここからルームが始まります。
removed-from-room = { $room }から外されました。{ $reason }

## Messages

messages = メッセージ
new-messages = 新しいメッセージ
new = 新着
today = 今日
yesterday = 昨日
said = { $nick }：{ $text }
edited = 編集済み
deleted = このメッセージは削除されました。
via = { $bridge } 経由
earlier-message = 以前のメッセージ
to-latest = 最新のメッセージへ
message-tools = メッセージの操作
react = リアクション
reactions = リアクション
from-names = （{ $names }から）
you = あなた
reply = 返信
replying-to = 返信先
more = その他
edit = 編集
editing = 編集中
delete = 削除
delete-question = このメッセージを全員から削除しますか？
copy-text = テキストをコピー
copied = コピーしました
not-copied = ブラウザーがコピーを許可していません。

## Translation

translating = { $language }から翻訳中…
translated-from = { $language }から翻訳
original-in = 原文（{ $language }）
not-translated = { $language }からの翻訳はありません
show-original = 原文を表示
show-translation = 翻訳を表示
wrong-language = { $language }ではない？
correct-language = このメッセージの言語を訂正
language-is = 言語：{ $language }
no-language = 言語ではない
offer-download = このブラウザーは{ $language }を端末上で翻訳できます。
download = ダウンロード
downloading = ダウンロード中

## Writing

write-message = メッセージを書く
send = 送信
sending = 送信中…
waits-for-connection = 接続が戻ると送信されます
not-sent = 送信できません：{ $reason }
try-again = 再試行
discard = 破棄
writing-in = 書く言語
detect = 自動
writing-detected = 書く言語は自動で判定されます。
writing-in-language = いま{ $language }で書いています。
no-such-language = 「{ $tag }」という言語タグはありません。
nobody-called = { $nick }という人はいません。
completions = 候補
many-typing = 複数の人が入力中…

## People

members = メンバー
find-member = 人を探す
role-owner = オーナー
role-moderator = モデレーター
role-voice = 発言権
gone = いなくなった人
muted = ミュート中
send-direct = ダイレクトメッセージ
mention-them = メンション
kick = ルームから外す
kick-question = { $nick }をこのルームから外しますか？
ban = 追放する
ban-question = { $nick }をこのルームから追放しますか？
mute-a-while = 10 分間ミュート
unmute = ミュート解除
give-voice = 発言権を与える
take-voice = 発言権を外す
make-moderator = モデレーターにする
take-moderator = モデレーターから外す

## Search

search = 検索
search-messages = メッセージを検索
search-here = このルームのみ
search-hint = 言葉と絞り込み条件
searching = 検索中…
nothing-found = 見つかりません
more-results = さらに表示
jump-to-date = 日付へ移動
jump = 移動
date = 日付

## The page

loading = 読み込み中…
close = 閉じる
cancel = キャンセル
save = 保存
saved = 保存しました
reload = 再読み込み
offline = 接続がありません。書いたものは戻り次第送信されます。
connection-ended = 接続が終了しました：{ $reason }
settings = 設定
profile = プロフィール
languages = 言語
appearance = 表示
theme = テーマ
theme-auto = 自動
theme-light = ライト
theme-dark = ダーク
change-password = パスワードを変更
old-password = 現在のパスワード
new-password = 新しいパスワード
sign-out = ログアウト
erase-me = 自分を消去
erase-me-question = 自分と発言をすべて消去しますか？元に戻せません。

## Help

help = ヘルプ
commands = コマンド
keys = キー操作
formatting = 書式
command-incomplete = 足りないものがあります：{ $command } { $usage }
command-unknown = { $command } というコマンドはありません。
command-me = 動作を述べる
command-nick = 名前を変える
command-topic = トピックを決める
command-join = ルームに入る
command-part = 退室する
command-msg = 個人に送る
command-kick = 外す
command-ban = 追放する
command-unban = 追放を解く
command-mute = ミュートする
command-unmute = ミュートを解く
command-lang = 書く言語を決める
command-help = これを表示
usage-me = …
usage-nick = NAME
usage-topic = …
usage-join = ROOM
usage-part = {""}
usage-msg = NAME …
usage-kick = NAME …
usage-ban = NAME 1d …
usage-unban = NAME
usage-mute = NAME 10m …
usage-unmute = NAME
usage-lang = ja · auto
usage-help = {""}
key-find-room = ルームを探す
key-next-room = 前（↓で次）のルーム
key-search = 検索
key-members = メンバー
key-newline = 改行
key-edit-last = 空欄で：最後の発言を編集
key-messages = メッセージ上で：前（↓で次）へ
key-translation = 原文と翻訳を切り替え
key-reply = 返信
key-edit = 編集
key-delete = 削除
key-like = 👍
key-more = その他
key-back = 閉じる・入力欄に戻る
key-help = このヘルプ

## Numbers

unread-count = 未読 { $count } 件
mention-count = メンション { $count } 件
typing = { $names }が入力中…
members-here = 在席 – { $count }
members-away = 不在 – { $count }
and-more = ほか { $count } 人
keep-days = { $count } 日間
characters-left = 残り { $count } 文字

# What the service refuses
refused-sense = 内容を理解できませんでした。
refused-stranger = 先にログインしてください。
refused-right = ここではその操作はできません。
refused-missing = 見つかりません。
refused-taken = すでに使われています。
refused-length = 長すぎます。
refused-pace = 少し待ってからもう一度お試しください。
refused-disk = サーバーが保存できませんでした。後でもう一度お試しください。
wrong-password = 名前またはパスワードが違います。

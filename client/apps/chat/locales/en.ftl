# The page's words in English; every other language has the same messages.

## Signing in

welcome = Welcome to Hubbub
welcome-lead = A chat where everybody reads in their own language.
how-to-enter = How to enter
enter-guest = As a guest
enter-register = New account
enter-login = Log in
enter = Enter
entering = Entering…
your-name = Your name
password = Password
password-hint = At least 8 characters
preferred-language = Language you prefer to read
preferred-language-hint = Messages in other languages are translated into it.
understood-languages = Languages you understand
understood-languages-hint = Messages in these are shown as they are.
add-language = Add a language…
remove-language = Remove { $language }
move-up = Move { $language } up
page-language = Language of this page
no-connection = The server cannot be reached.

## Rooms

rooms = Rooms
room = Room
direct-messages = Direct messages
open-rooms = Open to join
find-room = Find a room
no-rooms-found = No room is called like that.
create-room = New room
create = Create
room-name = Name
topic = Topic
room-kind = Who may come in
kind-open = Everybody
kind-open-hint = The room is listed, and anybody may join.
kind-unlisted = Who knows it
kind-unlisted-hint = The room is not listed; its id is enough to join.
kind-members = Who is invited
kind-members-hint = Only members see the room.
room-menu = More about this room
room-settings = Room settings
room-id = Id of this room:
room-failed = The room cannot be opened
retention = How long messages are kept
moderated = Only those with a voice may speak
keep-for-ever = For ever
invite = Invite
invite-hint = The name of somebody you have met in a room or written to
export-jsonl = Save as JSON Lines
export-html = Save as a page
leave-room = Leave room
leave-room-question = Leave { $room }?
no-room = No room is open
no-room-hint = Choose one from the list, or make a new one.
empty-room = Nothing has been said yet
empty-room-hint = Write the first message – in your own language.
room-start = This is where the room begins.
removed-from-room = You were removed from { $room }. { $reason }

## Messages

messages = Messages
new-messages = New messages
new = New
today = Today
yesterday = Yesterday
said = { $nick }: { $text }
edited = edited
deleted = This message was deleted.
via = via { $bridge }
earlier-message = an earlier message
to-latest = To the newest message
message-tools = What to do with this message
react = React
reactions = Reactions
from-names = from { $names }
you = you
reply = Reply
replying-to = Reply to
more = More
edit = Edit
editing = Editing
delete = Delete
delete-question = Delete this message for everybody?
copy-text = Copy text
copied = Copied
not-copied = The browser does not allow copying.

## Translation

translating = Translating from { $language }…
translated-from = Translated from { $language }
original-in = Original in { $language }
not-translated = No translation from { $language }
show-original = Show original
show-translation = Show translation
wrong-language = Not { $language }?
correct-language = Correct the language of this message
language-is = Language: { $language }
no-language = No language at all
offer-download = Your browser can translate { $language } on this device.
download = Download
downloading = Downloading

## Writing

write-message = Write a message
send = Send
sending = Sending…
waits-for-connection = Will be sent when you are online
not-sent = Not sent: { $reason }
try-again = Try again
discard = Discard
writing-in = Language you write in
detect = Auto
writing-detected = The language you write in is detected again.
writing-in-language = You are writing in { $language } now.
no-such-language = No language has the tag { $tag }.
nobody-called = Nobody here is called { $nick }.
completions = Suggestions
many-typing = Several people are writing…

## People

members = Members
find-member = Find somebody
role-owner = owner
role-moderator = moderator
role-voice = voice
gone = somebody who is gone
muted = muted
send-direct = Send a direct message
mention-them = Mention
kick = Remove from room
kick-question = Remove { $nick } from this room?
ban = Ban
ban-question = Ban { $nick } from this room?
mute-a-while = Mute for ten minutes
unmute = Unmute
give-voice = Give voice
take-voice = Take voice
make-moderator = Make moderator
take-moderator = No longer moderator

## Search

search = Search
search-messages = Search messages
search-here = In this room only
search-hint = Words, and what narrows them down
searching = Searching…
nothing-found = Nothing was found
more-results = More results
jump-to-date = Jump to a date
jump = Jump
date = Date

## The page

loading = Loading…
close = Close
cancel = Cancel
save = Save
saved = Saved
reload = Reload
offline = No connection. What you write will be sent as soon as it is back.
connection-ended = The connection has ended: { $reason }
settings = Settings
profile = Profile
languages = Languages
appearance = Appearance
theme = Theme
theme-auto = Auto
theme-light = Light
theme-dark = Dark
change-password = Change password
old-password = Current password
new-password = New password
sign-out = Sign out
erase-me = Erase me
erase-me-question = Erase yourself with all you have said? This cannot be undone.

## Help

help = Help
commands = Commands
keys = Keys
formatting = Formatting
command-incomplete = There is something missing: { $command } { $usage }
command-unknown = There is no command { $command }.
command-me = say what you do
command-nick = take another name
command-topic = set the room’s topic
command-join = enter a room
command-part = leave this room
command-msg = write to one person
command-kick = remove somebody
command-ban = ban somebody
command-unban = let somebody back in
command-mute = silence somebody
command-unmute = let somebody speak
command-lang = set the language you write in
command-help = show this
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
usage-lang = en · auto
usage-help = {""}
key-find-room = find a room
key-next-room = previous or next room (↓)
key-search = search
key-members = members
key-newline = new line
key-edit-last = in an empty box: edit your last message
key-messages = on a message: the one before, or after (↓)
key-translation = original or translation
key-reply = reply
key-edit = edit
key-delete = delete
key-like = 👍
key-more = more
key-back = close, or back to writing
key-help = this help

## Numbers

unread-count =
    { $count ->
        [one] { $count } unread message
       *[other] { $count } unread messages
    }
mention-count =
    { $count ->
        [one] { $count } mention
       *[other] { $count } mentions
    }
typing =
    { $count ->
        [one] { $names } is writing…
       *[other] { $names } are writing…
    }
members-here = Here – { $count }
members-away = Away – { $count }
and-more =
    { $count ->
        [one] and one more
       *[other] and { $count } more
    }
keep-days =
    { $count ->
        [one] One day
       *[other] { $count } days
    }
characters-left =
    { $count ->
        [one] One character left
       *[other] { $count } characters left
    }

# What the service refuses
refused-sense = That could not be understood.
refused-stranger = Sign in first.
refused-right = You may not do that here.
refused-missing = There is no such thing.
refused-taken = Somebody else has that already.
refused-length = That is too long.
refused-pace = Slow down, and try again in a moment.
refused-disk = The server could not keep it. Try again later.
wrong-password = Name or password is wrong.

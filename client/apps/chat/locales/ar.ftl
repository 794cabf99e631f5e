# The page's words in Arabic.

## Signing in

welcome = مرحبًا بك في Hubbub
welcome-lead = محادثة يقرأ فيها كل شخص بلغته.
how-to-enter = طريقة الدخول
enter-guest = كضيف
enter-register = حساب جديد
enter-login = تسجيل الدخول
enter = دخول
entering = جارٍ الدخول…
your-name = اسمك
password = كلمة المرور
password-hint = 8 أحرف على الأقل
preferred-language = اللغة التي تفضّل القراءة بها
preferred-language-hint = تُترجم إليها الرسائل المكتوبة بلغات أخرى.
understood-languages = اللغات التي تفهمها
understood-languages-hint = تُعرض الرسائل بهذه اللغات كما هي.
add-language = أضف لغة…
remove-language = إزالة { $language }
move-up = نقل { $language } إلى أعلى
page-language = لغة هذه الصفحة
no-connection = يتعذّر الوصول إلى الخادم.

## Rooms

rooms = الغرف
room = غرفة
direct-messages = الرسائل المباشرة
open-rooms = مفتوحة للانضمام
find-room = ابحث عن غرفة
no-rooms-found = لا توجد غرفة بهذا الاسم.
create-room = غرفة جديدة
create = إنشاء
room-name = الاسم
topic = الموضوع
room-kind = من يمكنه الدخول
kind-open = الجميع
kind-open-hint = الغرفة مُدرجة ويمكن لأي شخص الانضمام.
kind-unlisted = من يعرفها
kind-unlisted-hint = الغرفة غير مُدرجة، ويكفي معرّفها للانضمام.
kind-members = المدعوون
kind-members-hint = لا يرى الغرفة إلا أعضاؤها.
room-menu = المزيد عن هذه الغرفة
room-settings = إعدادات الغرفة
room-id = معرّف هذه الغرفة:
room-failed = تعذّر فتح الغرفة
retention = مدة حفظ الرسائل
moderated = لا يتكلم إلا من لديه صوت
keep-for-ever = بلا حد
invite = دعوة
invite-hint = اسم شخص التقيته في غرفة أو راسلته
export-jsonl = حفظ بصيغة JSON Lines
export-html = حفظ كصفحة
leave-room = مغادرة الغرفة
leave-room-question = هل تغادر { $room }؟
no-room = لا توجد غرفة مفتوحة
no-room-hint = اختر غرفة من القائمة أو أنشئ واحدة.
empty-room = لم يُقل شيء بعد
empty-room-hint = اكتب أول رسالة بلغتك.
room-start = هنا تبدأ الغرفة.
removed-from-room = أُخرجت من { $room }. { $reason }

## Messages

messages = الرسائل
new-messages = رسائل جديدة
new = جديد
today = اليوم
yesterday = أمس
said = { $nick }: { $text }
edited = معدّلة
deleted = حُذفت هذه الرسالة.
via = عبر { $bridge }
earlier-message = رسالة سابقة
to-latest = إلى أحدث رسالة
message-tools = إجراءات هذه الرسالة
react = تفاعل
reactions = التفاعلات
from-names = من { $names }
you = أنت
reply = رد
replying-to = رد على
more = المزيد
edit = تعديل
editing = تعديل
delete = حذف
delete-question = هل تُحذف هذه الرسالة لدى الجميع؟
copy-text = نسخ النص
copied = تم النسخ
not-copied = المتصفح لا يسمح بالنسخ.

## Translation

translating = جارٍ الترجمة من { $language }…
translated-from = مترجم من { $language }
original-in = الأصل بـ{ $language }
not-translated = لا توجد ترجمة من { $language }
show-original = عرض الأصل
show-translation = عرض الترجمة
wrong-language = ليست { $language }؟
correct-language = تصحيح لغة هذه الرسالة
language-is = اللغة: { $language }
no-language = بلا لغة
offer-download = يمكن لمتصفحك ترجمة { $language } على هذا الجهاز.
download = تنزيل
downloading = جارٍ التنزيل

## Writing

write-message = اكتب رسالة
send = إرسال
sending = جارٍ الإرسال…
waits-for-connection = ستُرسل عند عودة الاتصال
not-sent = لم تُرسل: { $reason }
try-again = إعادة المحاولة
discard = تجاهل
writing-in = لغة الكتابة
detect = تلقائي
writing-detected = تُكتشف لغة الكتابة تلقائيًا من جديد.
writing-in-language = تكتب الآن بـ{ $language }.
no-such-language = لا توجد لغة بالرمز { $tag }.
nobody-called = لا أحد هنا اسمه { $nick }.
completions = اقتراحات
many-typing = يكتب عدة أشخاص…

## People

members = الأعضاء
find-member = ابحث عن شخص
role-owner = مالك
role-moderator = مشرف
role-voice = صوت
gone = شخص لم يعد هنا
muted = مكتوم
send-direct = إرسال رسالة مباشرة
mention-them = ذكر
kick = إخراج من الغرفة
kick-question = هل يُخرج { $nick } من هذه الغرفة؟
ban = حظر
ban-question = هل يُحظر { $nick } من هذه الغرفة؟
mute-a-while = كتم لعشر دقائق
unmute = إلغاء الكتم
give-voice = منح الصوت
take-voice = سحب الصوت
make-moderator = تعيين مشرفًا
take-moderator = إلغاء الإشراف

## Search

search = بحث
search-messages = البحث في الرسائل
search-here = في هذه الغرفة فقط
search-hint = كلمات وما يضيّقها
searching = جارٍ البحث…
nothing-found = لم يُعثر على شيء
more-results = مزيد من النتائج
jump-to-date = الانتقال إلى تاريخ
jump = انتقال
date = التاريخ

## The page

loading = جارٍ التحميل…
close = إغلاق
cancel = إلغاء
save = حفظ
saved = تم الحفظ
reload = إعادة التحميل
offline = لا يوجد اتصال. سيُرسل ما تكتبه فور عودته.
connection-ended = انتهى الاتصال: { $reason }
settings = الإعدادات
profile = الملف الشخصي
languages = اللغات
appearance = المظهر
theme = السمة
theme-auto = تلقائي
theme-light = فاتح
theme-dark = داكن
change-password = تغيير كلمة المرور
old-password = كلمة المرور الحالية
new-password = كلمة المرور الجديدة
sign-out = تسجيل الخروج
erase-me = محو بياناتي
erase-me-question = هل تُمحى أنت وكل ما قلته؟ لا يمكن التراجع.

## Help

help = مساعدة
commands = الأوامر
keys = المفاتيح
formatting = التنسيق
command-incomplete = هناك شيء ناقص: { $command } { $usage }
command-unknown = لا يوجد أمر { $command }.
command-me = قل ماذا تفعل
command-nick = غيّر اسمك
command-topic = حدّد موضوع الغرفة
command-join = ادخل غرفة
command-part = غادر هذه الغرفة
command-msg = راسل شخصًا
command-kick = أخرج شخصًا
command-ban = احظر شخصًا
command-unban = ألغِ حظر شخص
command-mute = اكتم شخصًا
command-unmute = ألغِ كتم شخص
command-lang = حدّد لغة الكتابة
command-help = اعرض هذا
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
usage-lang = ar · auto
usage-help = {""}
key-find-room = ابحث عن غرفة
key-next-room = الغرفة السابقة أو التالية (↓)
key-search = بحث
key-members = الأعضاء
key-newline = سطر جديد
key-edit-last = في مربع فارغ: عدّل آخر رسالة لك
key-messages = على رسالة: السابقة أو التالية (↓)
key-translation = الأصل أو الترجمة
key-reply = رد
key-edit = تعديل
key-delete = حذف
key-like = 👍
key-more = المزيد
key-back = إغلاق أو العودة إلى الكتابة
key-help = هذه المساعدة

## Numbers

unread-count =
    { $count ->
        [zero] لا رسائل غير مقروءة
        [one] رسالة واحدة غير مقروءة
        [two] رسالتان غير مقروءتين
        [few] { $count } رسائل غير مقروءة
        [many] { $count } رسالة غير مقروءة
       *[other] { $count } رسالة غير مقروءة
    }
mention-count =
    { $count ->
        [zero] لم يُذكر اسمك
        [one] ذُكر اسمك مرة
        [two] ذُكر اسمك مرتين
        [few] ذُكر اسمك { $count } مرات
        [many] ذُكر اسمك { $count } مرة
       *[other] ذُكر اسمك { $count } مرة
    }
typing =
    { $count ->
        [zero] { $names }
        [one] { $names } يكتب…
        [two] { $names } يكتبان…
        [few] { $names } يكتبون…
        [many] { $names } يكتبون…
       *[other] { $names } يكتبون…
    }
members-here = الحاضرون – { $count }
members-away = الغائبون – { $count }
and-more =
    { $count ->
        [zero] ولا أحد غيرهم
        [one] وشخص آخر
        [two] وشخصان آخران
        [few] و{ $count } أشخاص آخرين
        [many] و{ $count } شخصًا آخر
       *[other] و{ $count } شخص آخر
    }
keep-days =
    { $count ->
        [zero] ولا يوم
        [one] يوم واحد
        [two] يومان
        [few] { $count } أيام
        [many] { $count } يومًا
       *[other] { $count } يوم
    }
characters-left =
    { $count ->
        [zero] لم يبقَ أي حرف
        [one] بقي حرف واحد
        [two] بقي حرفان
        [few] بقيت { $count } أحرف
        [many] بقي { $count } حرفًا
       *[other] بقي { $count } حرف
    }

# What the service refuses
refused-sense = لم يُفهم هذا الطلب.
refused-stranger = سجّل الدخول أولًا.
refused-right = لا يُسمح لك بهذا هنا.
refused-missing = هذا غير موجود.
refused-taken = هذا مأخوذ بالفعل.
refused-length = هذا طويل جدًا.
refused-pace = تمهّل، ثم حاول مجددًا بعد لحظة.
refused-disk = لم يتمكن الخادم من الحفظ. حاول لاحقًا.
wrong-password = الاسم أو كلمة المرور غير صحيحة.

"""Why some tests of irctest do not find what they look for: each by how its name begins."""

ACCOUNTS = (
    "**An account's owner is called like the account.** In the chat nick and account are one; these"
    " tests sign in to an account of another name and look for the nick that they asked for."
)
BANS = (
    "**A ban is of a person.** The chat keeps somebody out, not a pattern of names: `+b nick` of"
    " somebody who is not there, or any other mask, names nobody."
)
FLAGS = (
    "**`n` and `t` are always set**: who is not in a room says nothing in it, and its topic is its"
    " moderators' to set. And a room is either closed or unlisted or neither."
)
KEYS = (
    "**Rooms have no keys and no limits.** Neither is announced (`CHANMODES=b,,,imnst`); these"
    " tests set them all the same."
)
LONG = (
    "**What is too long is split, not cut.** A text that does not fit into one line behind the"
    " sender's source comes as two; these tests read one."
)
OPERATORS = (
    "**Nobody is an operator by IRC.** The chat's own administrators look after it; OPER answers"
    " 491, and what only operators may do is not to be had."
)
OWNERS = (
    "**A room keeps its owner.** Who made a room cannot give up `@` without another owner, and a"
    " moderator (`@`, too) does not kick one."
)

REASONS: tuple[tuple[str, str], ...] = (
    ("ban::", BANS),
    ("buffering::BufferingTestCase::testNoTags", LONG),
    (
        "chathistory::ChathistoryTestCase::testMessagesToSelf",
        "**What one says to oneself is not kept**: a conversation takes two.",
    ),
    ("info::", OPERATORS),
    ("invite::InviteTestCase::testInviteInviteOnly", OWNERS),
    ("key::", KEYS),
    ("kick::KickTestCase::testKickPrivileges", OWNERS),
    ("kill::", OPERATORS),
    ("limit::", KEYS),
    (
        "links::",
        "**There is one server, without a description.** LINKS names the network; the tests want a"
        " text of their configuration.",
    ),
    (
        "lusers::LusersUnregistered",
        "**Who is not in is not counted** (253 is always 0): who knocks is nobody's business.",
    ),
    ("modeis::", FLAGS),
    ("message_tags::MessageTagsTestCase::testLengthLimits", LONG),
    (
        "multi_prefix::",
        "**Somebody has one role in a room**: who is `@` gets no `+` besides.",
    ),
    (
        "names::NamesTestCase::testNamesMultipleChannels2812",
        "**Each channel's names end with a 366 of their own**, as RFC 1459 and all others do it;"
        " RFC 2812's form is another.",
    ),
    ("no_external::", FLAGS),
    ("oper::", OPERATORS),
    (
        "redact::RedactTestCase::testRedactTagmsg",
        "**A TAGMSG is not kept**, so there is nothing to take back.",
    ),
    ("sasl::SaslTestCase::testPlainPostRegistrationAndReAuthenticate", ACCOUNTS),
    ("sasl::SaslTestCase::testPlainReAuthenticate", ACCOUNTS),
    ("topic::TopicTestCase::testTopicMode", FLAGS),
    ("wallops::", OPERATORS),
    (
        "who::WhoInvisibleTestCase",
        "**Nobody is invisible**: who is in an open room is seen there, in the chat as on IRC.",
    ),
    ("who::WhoServicesTestCase", ACCOUNTS),
    ("who::WhoTestCase::testWhoNickAwayAndOper", OPERATORS),
    ("who::WhoTestCase::testWhoNickOper", OPERATORS),
    ("whois::ServicesWhoisTestCase::testWhoisNumerics[oper]", OPERATORS),
    ("whois::ServicesWhoisTestCase", ACCOUNTS),
    ("whois::WhoisTestCase::testWhoisNumerics[oper]", OPERATORS),
    (
        "whowas::",
        "**No record is kept of who has gone**: WHOWAS answers 406.",
    ),
)
"""How a test's name begins, and why it is not as it wants; the first that fits."""

# The page's words in French.

## Signing in

welcome = Bienvenue sur Hubbub
welcome-lead = Une messagerie où chacun lit dans sa langue.
how-to-enter = Comment entrer
enter-guest = En invité
enter-register = Nouveau compte
enter-login = Se connecter
enter = Entrer
entering = Connexion…
your-name = Votre nom
password = Mot de passe
password-hint = Au moins 8 caractères
preferred-language = Langue de lecture préférée
preferred-language-hint = Les messages dans d’autres langues y sont traduits.
understood-languages = Langues que vous comprenez
understood-languages-hint = Les messages dans ces langues restent tels quels.
add-language = Ajouter une langue…
remove-language = Retirer : { $language }
move-up = Monter : { $language }
page-language = Langue de cette page
no-connection = Le serveur est injoignable.

## Rooms

rooms = Salons
room = Salon
direct-messages = Messages directs
open-rooms = À rejoindre
find-room = Chercher un salon
no-rooms-found = Aucun salon ne s’appelle ainsi.
create-room = Nouveau salon
create = Créer
room-name = Nom
topic = Sujet
room-kind = Qui peut entrer
kind-open = Tout le monde
kind-open-hint = Le salon est listé et chacun peut le rejoindre.
kind-unlisted = Qui le connaît
kind-unlisted-hint = Le salon n’est pas listé ; son identifiant suffit.
kind-members = Sur invitation
kind-members-hint = Seuls les membres voient le salon.
room-menu = Plus sur ce salon
room-settings = Réglages du salon
room-id = Identifiant du salon :
room-failed = Le salon ne s’ouvre pas
retention = Durée de conservation
moderated = Seuls ceux qui ont la parole peuvent écrire
keep-for-ever = Sans limite
invite = Inviter
invite-hint = Le nom d’une personne croisée dans un salon ou à qui vous avez écrit
export-jsonl = Enregistrer en JSON Lines
export-html = Enregistrer en page web
leave-room = Quitter le salon
leave-room-question = Quitter { $room } ?
no-room = Aucun salon ouvert
no-room-hint = Choisissez-en un ou créez-en un.
empty-room = Rien n’a encore été dit
empty-room-hint = Écrivez le premier message, dans votre langue.
room-start = Le salon commence ici.
removed-from-room = Vous avez été exclu de { $room }. { $reason }

## Messages

messages = Messages
new-messages = Nouveaux messages
new = Nouveau
today = Aujourd’hui
yesterday = Hier
said = { $nick } : { $text }
edited = modifié
deleted = Ce message a été supprimé.
via = via { $bridge }
earlier-message = un message antérieur
to-latest = Au dernier message
message-tools = Actions sur ce message
react = Réagir
reactions = Réactions
from-names = de { $names }
you = vous
reply = Répondre
replying-to = Réponse à
more = Plus
edit = Modifier
editing = Modification
delete = Supprimer
delete-question = Supprimer ce message pour tout le monde ?
copy-text = Copier le texte
copied = Copié
not-copied = Le navigateur refuse la copie.

## Translation

translating = Traduction depuis : { $language }…
translated-from = Traduit depuis : { $language }
original-in = Original : { $language }
not-translated = Pas de traduction depuis : { $language }
show-original = Voir l’original
show-translation = Voir la traduction
wrong-language = Pas { $language } ?
correct-language = Corriger la langue de ce message
language-is = Langue : { $language }
no-language = Aucune langue
offer-download = Votre navigateur peut traduire sur cet appareil : { $language }.
download = Télécharger
downloading = Téléchargement

## Writing

write-message = Écrire un message
send = Envoyer
sending = Envoi…
waits-for-connection = Sera envoyé à la reconnexion
not-sent = Non envoyé : { $reason }
try-again = Réessayer
discard = Abandonner
writing-in = Langue d’écriture
detect = Auto
writing-detected = La langue d’écriture est de nouveau détectée.
writing-in-language = Vous écrivez maintenant en { $language }.
no-such-language = Aucune langue n’a le code { $tag }.
nobody-called = Personne ici ne s’appelle { $nick }.
completions = Suggestions
many-typing = Plusieurs personnes écrivent…

## People

members = Membres
find-member = Chercher quelqu’un
role-owner = propriétaire
role-moderator = modérateur
role-voice = parole
gone = une personne partie
muted = muet
send-direct = Écrire en privé
mention-them = Mentionner
kick = Exclure du salon
kick-question = Exclure { $nick } de ce salon ?
ban = Bannir
ban-question = Bannir { $nick } de ce salon ?
mute-a-while = Rendre muet dix minutes
unmute = Rendre la parole
give-voice = Donner la parole
take-voice = Retirer la parole
make-moderator = Nommer modérateur
take-moderator = Retirer la modération

## Search

search = Rechercher
search-messages = Rechercher des messages
search-here = Dans ce salon seulement
search-hint = Des mots, et de quoi préciser
searching = Recherche…
nothing-found = Rien trouvé
more-results = Plus de résultats
jump-to-date = Aller à une date
jump = Y aller
date = Date

## The page

loading = Chargement…
close = Fermer
cancel = Annuler
save = Enregistrer
saved = Enregistré
reload = Recharger
offline = Pas de connexion. Vos messages partiront dès son retour.
connection-ended = La connexion a pris fin : { $reason }
settings = Réglages
profile = Profil
languages = Langues
appearance = Apparence
theme = Thème
theme-auto = Auto
theme-light = Clair
theme-dark = Sombre
change-password = Changer le mot de passe
old-password = Mot de passe actuel
new-password = Nouveau mot de passe
sign-out = Se déconnecter
erase-me = M’effacer
erase-me-question = Vous effacer avec tout ce que vous avez dit ? C’est irréversible.

## Help

help = Aide
commands = Commandes
keys = Touches
formatting = Mise en forme
command-incomplete = Il manque quelque chose : { $command } { $usage }
command-unknown = La commande { $command } n’existe pas.
command-me = dire ce que vous faites
command-nick = changer de nom
command-topic = définir le sujet
command-join = rejoindre un salon
command-part = quitter ce salon
command-msg = écrire à une personne
command-kick = exclure quelqu’un
command-ban = bannir quelqu’un
command-unban = réadmettre quelqu’un
command-mute = rendre muet
command-unmute = rendre la parole
command-lang = définir la langue d’écriture
command-help = afficher ceci
usage-me = …
usage-nick = NOM
usage-topic = …
usage-join = SALON
usage-part = {""}
usage-msg = NOM …
usage-kick = NOM …
usage-ban = NOM 1d …
usage-unban = NOM
usage-mute = NOM 10m …
usage-unmute = NOM
usage-lang = fr · auto
usage-help = {""}
key-find-room = chercher un salon
key-next-room = salon précédent ou suivant (↓)
key-search = rechercher
key-members = membres
key-newline = nouvelle ligne
key-edit-last = champ vide : modifier votre dernier message
key-messages = sur un message : le précédent, le suivant (↓)
key-translation = original ou traduction
key-reply = répondre
key-edit = modifier
key-delete = supprimer
key-like = 👍
key-more = plus
key-back = fermer, ou revenir à l’écriture
key-help = cette aide

## Numbers

unread-count =
    { $count ->
        [one] { $count } message non lu
       *[other] { $count } messages non lus
    }
mention-count =
    { $count ->
        [one] { $count } mention
       *[other] { $count } mentions
    }
typing =
    { $count ->
        [one] { $names } écrit…
       *[other] { $names } écrivent…
    }
members-here = Présents – { $count }
members-away = Absents – { $count }
and-more =
    { $count ->
        [one] et une autre personne
       *[other] et { $count } autres
    }
keep-days =
    { $count ->
        [one] Un jour
       *[other] { $count } jours
    }
characters-left =
    { $count ->
        [one] Encore un caractère
       *[other] Encore { $count } caractères
    }

# What the service refuses
refused-sense = Cela n’a pas pu être compris.
refused-stranger = Connectez-vous d’abord.
refused-right = Vous n’avez pas le droit de faire cela ici.
refused-missing = Cela n’existe pas, ou plus.
refused-taken = C’est déjà pris.
refused-length = C’est trop long.
refused-pace = Un peu trop vite : réessayez dans un instant.
refused-disk = Le serveur n’a pas pu l’enregistrer. Réessayez plus tard.
wrong-password = Le nom ou le mot de passe est faux.

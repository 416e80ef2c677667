"""Function words by language."""

from __future__ import annotations

import re

_WORDS = {
    "en": """a about above after again against all almost along already also although always am among an and another
        any are aren't around as at away be because become becomes been before being below between both but by
        can can't cannot could couldn't did didn't do does doesn't doing don't done down during each either else
        enough especially etc even ever every few first following for from further get gets had has hasn't have
        haven't having he her here hers herself him himself his how however i i'm if in instead into is isn't it
        it's its itself just last least less let let's like likely many may maybe me might mine more moreover
        most much must my myself near neither never nevertheless next no none nor not nothing now of off often on
        once one only onto or other others otherwise our ours ourselves out over own per perhaps quite rather
        really same several shall she should shouldn't since so some something sometimes soon still such than
        that that's the their theirs them themselves then there therefore these they they're this those though
        through thus to together too toward two under unless until up upon us usually very via was wasn't we
        we're we've well were weren't what whatever when whenever where whereas whether which while who whole
        whom whose why will with within without won't would wouldn't yet you you're you've your yours yourself
        yourselves""",
    "de": """aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis bist da
        damit dann das dass dein deine dem den denn der des dessen die dies diese diesem diesen dieser dieses
        doch dort du durch ein eine einem einen einer eines er es etwas euch euer für gegen hat hatte haben hier
        hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in indem ins ist jede jedem jeden jeder jedes
        jetzt kann kein keine können könnte man manche mehr mein meine mit muss müssen nach nicht nichts noch nun
        nur ob oder ohne sehr sein seine seinem seinen seiner seit sich sie sind so solche soll sollte sondern
        sonst über um und uns unser unsere unter viel vom von vor war waren was weil welche wenn werde werden wie
        wieder will wir wird wo wurde wurden zu zum zur zwar zwischen""",
    "fr": """à ai aie au aussi autre aux avec avoir avons bien c'est car ce cela ces cet cette ceux chaque comme
        comment dans de des donc dont du elle elles en encore entre est et étaient était été être eux fait il ils
        je la le les leur leurs lors lui ma mais me même mes moins mon ne nos notre nous on ont ou où par parce
        pas peu peut plus pour pourquoi qu'il qu'elle quand que quel quelle qui sa sans se ses si son sont sous
        sur ta tes toi ton tous tout toute toutes très tu un une vos votre vous y""",
    "es": """a al algo algunas algunos ante antes aquí así aun aunque cada como con contra cual cuando de del desde
        donde dos el él ella ellas ellos en entre era es esa ese eso esta está están estas este esto estos fue ha
        hace han hasta hay la las le les lo los más me mi mientras mis mucho muy nada ni no nos nosotros nuestra
        nuestro o otra otro para pero poco por porque puede que qué quien se sea según ser si sí sin sobre son su
        sus también tan tanto te tiene todo todos tu tus un una uno unos usted ya yo""",
    "it": """a ad agli ai al alla alle allo anche ancora avere che chi ci come con contro cosa così cui da dagli dai
        dal dalla dalle degli dei del della delle dello di dove due e è ed era essere fra gli ha hanno i il in io
        la le lei li lo loro lui ma mentre mi molto ne negli nei nel nella nelle noi non nostra nostro o ogni per
        perché però più può quando quella quello questa questo qui se sei senza si sia sono su sua sue sugli sui
        sul sulla suo suoi tra tu tutti tutto un una uno vi voi""",
    "pt": """a ao aos as até cada com como da das de dela dele do dos e é ela elas ele eles em entre era essa esse
        esta está estas este estes eu foi há isso isto já lhe mais mas me mesmo meu minha muito na não nas nem no
        nos nós nossa nosso o os ou para pela pelas pelo pelos por porque quando que quem são se sem ser seu seus
        só sua suas também te tem tudo um uma umas uns você""",
    "nl": """aan al alle als altijd andere ben bij dan dat de der deze die dit doch doen door dus een en er ge geen
        haar had heb hebben heeft hem het hier hij hoe hun iets ik in is ja je jij kan kon kunnen maar me meer
        men met mij mijn moet na naar niet niets nog nu of om omdat onder ons onze ook op over te tegen toch toen
        tot u uit uw van veel voor want waren was wat we wel werd wezen wie wij wil worden wordt zal ze zelf zich
        zij zijn zo zonder zou""",
}

STOPWORDS: dict[str, frozenset[str]] = {code: frozenset(words.split()) for code, words in _WORDS.items()}
_NONE: frozenset[str] = frozenset()


def base_language(language: str) -> str:
    """Return the code in a language tag: `de` for `de-AT`; `en` if the tag is empty."""
    return re.split(r"[-_]", language.strip().lower())[0] or "en"


def stopwords(language: str) -> frozenset[str]:
    """Return the function words of a language; none for a language without a list."""
    return STOPWORDS.get(base_language(language), _NONE)

"""Words that are said of anything: they tell nothing of a thing, and bind a value to nothing."""

from __future__ import annotations

from server.knowledge.claims import MONTHS
from server.knowledge.numerals import NUMBER_WORDS
from server.knowledge.words import forms, words


def _all_forms(text: str) -> frozenset[str]:
    return frozenset(form for word in words(text) for form in forms(word))


GENERIC = _all_forms(
    """
    daily nightly weekly cost costs price prices priced charge charges charged fee fees rate rates
    pay pays paid per each every amount take takes taken run runs begin begins start starts end ends
    open opens opened close closed closes serve served give gives get come comes go goes reach use
    used using bring brought rent rented last lasts leave leaves make made see find stay stays hour
    hours time times day days night nights week person people guest guests extra additional only
    just also still further total until till before after between during about around approximately
    please note remember kindly welcome unfortunately afraid sorry sure course certainly indeed
    lovely happy glad great perfect good hi dear yes no not never none neither nor either cannot
    through though dont doesnt cant isnt arent wouldnt couldnt shouldnt werent wasnt hadnt mustnt
    neednt wont didnt havent hasnt youll youre theres thats lets fine help call contact write free
    included including include includes complimentary allowed permitted possible available must
    should other others over up even however although while since because if unless except mostly
    usually always any all both problem worries mention mentioned morning evening afternoon hope
    wait thank thanks long much im ive well enjoy congratulations wonderful apologise apologies
    inconvenience arrive arrives need needs want like weigh weighs keep keeps let request requested
    arrange arranged located situated consist consists carry measure already simply otherwise upon
    easily directly own place date full enough able ask asked ready monday tuesday wednesday
    thursday friday saturday sunday mr ms mrs am pm noon midnight clock nis ils usd eur gbp euro
    euros dollar dollars shekel shekels pound pounds עולה עולים עלות מחיר המחיר תשלום בתשלום לשלם
    מוגש מוגשת מתחיל מתחילה פתוח פתוחה פתוחים סגור סגורה סגורים שעה שעות בשעה משעה יום ימים לילה
    לילות אדם לאדם אורח אורחים לאורחים לקוח זמן החל נא יש להזמין להביא לקחת אסור אסורה אינו אינה
    אינם אינן איננו בלי ללא לא כן בטח בהחלט כמובן לצערנו בשמחה נכון חינם כלול כלולה כלולים תוספת
    בתוספת בין עד מ ל בלבד רק תמיד ניתן ניתנת ניתנים אפשרי אפשרית אפשר יכולים יכול יכולה להשתמש
    להיכנס נכנסים כניסה שקל שקלים שח אירו דולר אחר ועד ומ היא הוא הן הם זה זו כל לכל בכל סליחה נמצא
    נמצאת נמצאים נמצאות ממוקם ממוקמת מתקיים מתקיימת עומד עומדת אנא פשוט מגיע מגיעה טוב תודה רבה צר
    נוחות מזל בעיה להגיע מגיעים צריך צריכים בבקשה שני שלישי רביעי חמישי שישי שבת ראשון אחת עשר עשרה
    חצי רבע שתיים שלוש ארבע חמש שש שבע שמונה תשע עשרים שלושים ב שכל ויש mon tue tues wed weds thu
    thur thurs fri sat sun q a weekend weekends weekday weekdays half quarter past same back number
    numbers next too right swiss australian canadian moroccan franc francs baht dirham dirhams
    kroner krona yen pence cents cent יורו פרנק דירהם באט חדש חדשים minute minutes month months
    weeks year years way ways part parts thing things couple hold works work working operate
    operates running sits stand stands lies lie pick choose decide helps whichever turn look looks
    looking send sends tell know sounds sound cash-only separately together without within inside
    outside near nearby away ago early late later חוץ פועל פועלת פועלים בטלפון טלפון לכתוב להישאר
    אחריו אחריה אחרי לפני ואת את אחרת מידע היותר נוספת נוסף משלמים משלם משלמת נפגשים זמין זמינה
    אפשרות ליד מול סמוך בתוך מתאים מתאימה דקה דקות שבוע שבועות חודש חודשים שנה פעם פעמים מקום ואין
    אליכם אליך לכם לך שלכם שלך אצלנו אצלכם נשמח לעזור חשוב לזכור לדעת שימו לב שאר בשאר השאר יתר ביתר
    """
)
SAYING_NOTHING = (
    GENERIC
    | NUMBER_WORDS
    | frozenset(form for name in MONTHS for form in forms(name))
    | frozenset(
        [
            "בימי",
            "ימי",
            "בבוקר",
            "בערב",
            "בלילה",
            "שעה",
            "צהריימ",
            "בצהריימ",
            "הצהריימ",
            "אחהצ",
            "א",
            "ב",
            "ג",
            "ד",
            "ה",
            "ו",
            "ש",
        ]
    )
)

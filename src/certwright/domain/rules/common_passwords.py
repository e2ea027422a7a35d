"""Words that attackers try first: what the most frequent passwords of published leaks are made of.

Source: NIST SP 800-63B-4 section 3.1.1.2 asks for such a list; the words are those that head the yearly lists of the most
common passwords, see SOURCES.md. A list of words is enough, because what is made of nothing but them is refused, too.
"""

COMMON_WORDS = frozenset(
    """
    1q2w3e4r 1q2w3e4r5t 1qaz2wsx abc123 abcd1234 access admin admin123 administrator alexander amanda andrea andrew
    angel angels anthony apple arsenal asdf asdfgh asdfghjkl ashley austin azerty babygirl badboy bailey banana baseball
    basketball batman beautiful biteme blahblah blink182 bonjour brandon bubbles buster butterfly calvin camaro
    cambridge carlos certificate changeme charlie chelsea chicago chocolate computer cookie corvette cowboy daniel
    default diamond donald dragon eagles eminem external fender ferrari fishing flower football forever freedom friend
    friends fuckyou garfield george gfhjkm ginger golfer google guest guitar hallo hammer hannah harley heather hello
    hockey hunter iceman iloveyou internet jackson jasmine jennifer jessica jordan joshua justin killer letmein lifehack
    liverpool login london lovely loveme maggie manager marina marlboro martin master matrix matthew maverick merlin
    michael michelle mickey midnight monkey monster mustang naruto nicole ninja nothing office onepiece orange pass
    passw passwd password passwort patrick peanut pepper phoenix pokemon princess private purple qazwsx qwer1234 qwert
    qwerty qwertyuiop qwertz rachel raiders ranger richard robert rockyou samantha samsung scooter secret security
    server service shadow silver slipknot snoopy soccer spider starwars steelers summer sunshine superman swordfish
    taylor tennis test testing thomas thunder tigger tinkerbell trustno1 unknown user victoria welcome whatever william
    winner winter yamaha yankees yellow zaq12wsx zxcvbn zxcvbnm
    """.split()  # noqa: SIM905 - two hundred lines of one word each would say no more
)
SERVICE_WORDS = frozenset({"certwright"})
"""Source: NIST SP 800-63B-4 section 3.1.1.2: words of the context, such as the name of the service."""

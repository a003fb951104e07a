/** The wording of statuses, exposures, refusals and errors in German. README "Words". */
import type { Words } from './en.ts'
import type { Numbers } from './numbers.ts'

export const german = (n: Numbers): Words => ({
  ...STATUS,
  reasons: toReasons(n),
  ...toMeetingWords(n),
  ...FIXES,
  ...ERRORS,
  otherError: (code) => `Etwas ist fehlgeschlagen (${code}).`,
  line: (number) => `Zeile ${number}`,
})

const STATUS: Pick<Words, 'states' | 'actions'> = {
  states: {
    'at-risk': 'Sie waren in der Nähe einer positiv getesteten Person',
    'not-protected': 'Nicht geschützt',
    partly: 'Teilweise geschützt',
    protected: 'Geschützt',
  },
  actions: {
    'see-exposures': 'Wo und wann ansehen',
    agree: 'Zustimmungen ansehen',
    resume: 'Aufzeichnung fortsetzen',
    'allow-location': 'Standort erlauben',
    'mark-home': 'Zuhause markieren',
    'sync-now': 'Jetzt abgleichen',
    'set-clock': 'So stellen Sie die Uhr',
    'go-outside': 'Was hilft',
    enrol: 'Gerät anmelden',
  },
}

const toReasons = (n: Numbers): Words['reasons'] => ({
  erasing: () =>
    'Ihre Daten werden gelöscht. Die Zentrale hat es noch nicht bestätigt, und solange wird nichts aufgezeichnet.',
  'no-consent-record': () => 'Sie haben keinem Tagebuch zugestimmt, deshalb wird nichts aufgezeichnet.',
  paused: () => 'Die Aufzeichnung ist angehalten.',
  'location-denied': () =>
    'Der Browser gibt dieser Seite Ihren Standort nicht. Erlauben Sie ihn in den Browser-Einstellungen für diese Seite.',
  'location-not-asked': () => 'Der Browser wurde noch nicht nach Ihrem Standort gefragt.',
  'no-consent-deposit': () =>
    'Sie haben dem Senden nicht zugestimmt, deshalb lassen sich Ihre Stunden nicht mit denen anderer vergleichen.',
  'only-inaccurate': () =>
    'Ihre Positionen sind zu ungenau zum Vergleichen. Im Freien oder am Fenster werden sie besser.',
  'no-recent-position': () => 'In der letzten Stunde kam keine Position.',
  'home-unknown': ({ fixesHeld }) =>
    n.count(fixesHeld, {
      one: '# Position wartet auf diesem Gerät, bis Ihr Zuhause bekannt ist, denn aus seiner Nähe wird nie etwas gesendet.',
      other:
        '# Positionen warten auf diesem Gerät, bis Ihr Zuhause bekannt ist, denn aus seiner Nähe wird nie etwas gesendet.',
    }),
  'sync-overdue': ({ lastSyncMs, nowMs }) =>
    lastSyncMs === undefined
      ? 'Positionen warten auf einen Abgleich.'
      : `Der letzte Abgleich war ${n.relative(lastSyncMs, nowMs)}. Positionen, die älter als drei Stunden sind, lassen sich nicht mehr vergleichen.`,
  'never-synced': () => 'Dieses Gerät hat noch nie abgeglichen.',
  'nothing-compared': () => 'Noch lässt sich keine Ihrer Stunden vergleichen.',
  'fixes-lost': ({ fixesLost }) =>
    n.count(fixesLost, {
      one: '# Position ließ sich nicht vergleichen, weil der Abgleich zu spät kam.',
      other: '# Positionen ließen sich nicht vergleichen, weil der Abgleich zu spät kam.',
    }),
  'clock-off': () => 'Die Uhr dieses Geräts geht um mehr als fünf Minuten falsch. Die App gleicht es aus.',
  'location-unknown': () => 'Es ist nicht bekannt, ob der Browser dieser Seite Ihren Standort gibt.',
  'relay-shared': () =>
    'Ein Freiwilliger gab Schlüssel für den letzten Abgleich und reichte ihn weiter. Er kennt Ihre Adresse, die Zeit und einen Anteil der Welt.',
  'not-enrolled': () => 'Dieses Gerät ist nicht angemeldet und teilt deshalb das Kontingent seines Netzes mit anderen.',
  'weak-salting': () =>
    'Dieser Verbund nutzt schwache Schlüssel: Eine einzige Anfrage bei Freiwilligen öffnet die Fingerabdrücke einer Region.',
})

const toMeetingWords = (n: Numbers): Pick<Words, 'closeness' | 'degree' | 'certainty'> => ({
  closeness({ lagMin, trail, same }) {
    if (same === 0) return `Sie kamen, als die andere Person schon weg war, höchstens ${n.minutes(lagMin.to)} danach.`
    if (lagMin.to <= 5) return 'Sie waren in denselben fünf Minuten dort.'
    const after = trail > 0 ? ' oder kurz danach' : ''
    return `Sie waren im Abstand von höchstens ${n.minutes(lagMin.to)} dort${after}.`
  },
  degree: (degree) =>
    degree === 1
      ? 'Die andere Person hat einen positiven Test gemeldet.'
      : degree === 2
        ? 'Die andere Person hatte jemanden getroffen, der einen positiven Test gemeldet hat.'
        : `Zwischen der anderen Person und einem gemeldeten positiven Test liegen ${n.number(degree - 1)} Begegnungen.`,
  certainty: {
    high: {
      word: 'Ziemlich sicher',
      why: 'Sie waren in denselben fünf Minuten höchstens 24 m entfernt, und dabei nah beieinander oder zehn Minuten lang.',
    },
    medium: { word: 'Wahrscheinlich', why: 'Sie waren höchstens 24 m und zwanzig Minuten voneinander entfernt.' },
    low: {
      word: 'Möglich',
      why: 'Sie waren höchstens 24 m entfernt, aber nur eine längere Zeitspanne stimmt überein.',
    },
  },
})

const FIXES: Pick<Words, 'fixStates' | 'refusals'> = {
  fixStates: {
    open: { word: 'offen', why: 'ihre fünf Minuten sind noch nicht vorbei' },
    waiting: { word: 'wartet', why: 'ihre Fingerabdrücke entstehen beim nächsten Abgleich' },
    held: { word: 'zurückgehalten', why: 'bis bekannt ist, wo Ihr Zuhause ist' },
    hashed: { word: 'bereit', why: 'ihre Fingerabdrücke gehen mit dem nächsten Abgleich hinaus' },
    deposited: { word: 'hinterlegt', why: 'die Zentrale hat ihre Fingerabdrücke' },
    lost: { word: 'nicht vergleichbar', why: 'der Abgleich kam für sie zu spät' },
    history: { word: 'Vorgeschichte', why: 'zu spät importiert, um verglichen zu werden' },
  },
  refusals: {
    invalid: 'ohne gültige Position',
    future: 'aus der Zukunft',
    'too-old': 'zu alt',
    inaccurate: 'zu ungenau',
    'accuracy-unknown': 'von unbekannter Genauigkeit',
    paused: 'während der Pause',
    'no-consent': 'vor Ihrer Zustimmung',
    erasing: 'während des Löschens',
    'redacted-home': 'nahe am Zuhause',
    'redacted-zone': 'in einer Ihrer Zonen',
    'redacted-speed': 'schneller als 108 km/h',
    'not-better': 'ungenauer als eine andere derselben fünf Minuten',
    'block-taken': 'aus fünf Minuten, die schon gesendet sind',
  },
}

const ERRORS: Pick<Words, 'errors'> = {
  errors: {
    ABORTED: 'Der Abgleich wurde angehalten. Nichts ist verloren.',
    BUSY: 'Die Zentrale ist ausgelastet. Die App versucht es später wieder; nichts ist verloren.',
    CODE_EXPIRED: 'Dieser Code ist zu alt. Bitten Sie um einen neuen.',
    CODE_SPENT: 'Dieser Code wurde schon benutzt. Bitten Sie um einen neuen.',
    CODE_UNKNOWN: 'Das ist kein Code der Behörde. Bitte vergleichen Sie ihn Zeichen für Zeichen.',
    CONSENT_MISSING: 'Dem haben Sie noch nicht zugestimmt.',
    CORE_UNSUPPORTED: 'Dieser Browser hat kein WebAssembly.',
    IMPORT_INVALID: 'Die Datei lässt sich nicht lesen.',
    MANIFEST_INVALID: 'Die Verbunddatei dieser App ist nicht gültig.',
    PEER_TIMEOUT: 'Der Verbund hat nicht rechtzeitig geantwortet. Die App versucht es wieder; nichts ist verloren.',
    PEER_UNREACHABLE: 'Der Verbund ist nicht erreichbar. Die App versucht es wieder; nichts ist verloren.',
    QUOTA_SPENT: 'Zu viele Anfragen. Die App versucht es später wieder; nichts ist verloren.',
    STORAGE_CORRUPT:
      'Die Daten in diesem Browser lassen sich nicht lesen: Sie gehören zu einem anderen Verbund oder sind beschädigt.',
    STORAGE_FULL:
      'Auf diesem Gerät oder bei der Behörde ist kein Platz mehr. Die App versucht es später wieder; nichts ist verloren.',
    STORAGE_LOST: 'Der Browser hat den Speicher weggenommen. Bitte laden Sie die Seite neu.',
    TOO_MANY_ATTEMPTS: 'Sie haben zu viele falsche Codes versucht. Bitte warten Sie eine Stunde.',
  },
}

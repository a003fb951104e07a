/**
 * Numbers, plurals, lists, dates, spans and units of one language, by `Intl`. The catalogues of this room use them, and apps
 * may. README "Words".
 */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@geotrace/core-wasm/wire'

/** A text for each plural of a language. `#` becomes the number. */
export type Plural = Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>
export type Numbers = ReturnType<typeof numbers>

const SECOND_MS = 1_000
const KILOBYTE = 1_000

/** `locale`: a BCP 47 tag, such as `en-GB`. Times are those of the device's time zone. */
export function numbers(locale: string) {
  const plain = new Intl.NumberFormat(locale)
  const rules = new Intl.PluralRules(locale)
  const days = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' })
  const times = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' })
  const weekdays = new Intl.DateTimeFormat(locale, { weekday: 'narrow' })
  const relative = new Intl.RelativeTimeFormat(locale)
  const units = new Intl.ListFormat(locale, { type: 'unit', style: 'narrow' })
  const unit = (name: string, unitDisplay: 'long' | 'short', digits = 0) => {
    const format = new Intl.NumberFormat(locale, {
      style: 'unit',
      unit: name,
      unitDisplay,
      maximumFractionDigits: digits,
    })
    return (n: number): string => format.format(n)
  }
  const [hour, minute] = [unit('hour', 'long', 1), unit('minute', 'long')]
  const [shortHour, shortMinute] = [unit('hour', 'short'), unit('minute', 'short')]
  const spanBy = (hours: (n: number) => string, minutes: (n: number) => string) => (ms: number) => {
    const total = Math.round(ms / MINUTE_MS)
    const [h, m] = [Math.floor(total / 60), total % 60]
    return units.format([...(h > 0 ? [hours(h)] : []), ...(m > 0 || h === 0 ? [minutes(m)] : [])])
  }
  const [byte, kilobyte, exactKilobyte] = [
    unit('byte', 'long'),
    unit('kilobyte', 'short'),
    unit('kilobyte', 'short', 1),
  ]
  return {
    number: (n: number): string => plain.format(n),
    count: (n: number, forms: Plural): string => (forms[rules.select(n)] ?? forms.other).replace('#', plain.format(n)),
    list: (items: readonly string[]): string => new Intl.ListFormat(locale).format(items),
    /** `Sunday 29 November` */
    day: (at: number): string => days.format(at),
    time: (at: number): string => times.format(at),
    /** The first letter of the weekday. */
    weekday: (at: number): string => weekdays.format(at),
    /** `5 minutes ago`, `in 2 hours` */
    relative(at: number, now: number): string {
      const ms = at - now
      const [size, name] = (
        [
          [DAY_MS, 'day'],
          [HOUR_MS, 'hour'],
          [MINUTE_MS, 'minute'],
          [SECOND_MS, 'second'],
        ] as const
      ).find(([least]) => Math.abs(ms) >= least) ?? [SECOND_MS, 'second']
      return relative.format(Math.round(ms / size), name)
    },
    /** `9 hours 20 minutes` */
    span: spanBy(hour, minute),
    /** `9 hr 20 min` */
    shortSpan: spanBy(shortHour, shortMinute),
    hours: hour,
    minutes: minute,
    shortMinutes: shortMinute,
    seconds: unit('second', 'short', 1),
    milliseconds: unit('millisecond', 'short'),
    metres: unit('meter', 'short'),
    kilometres: unit('kilometer', 'short', 1),
    megabytes: unit('megabyte', 'short', 1),
    bytes: (n: number): string =>
      n < KILOBYTE ? byte(n) : (n < 10 * KILOBYTE ? exactKilobyte : kilobyte)(n / KILOBYTE),
  }
}

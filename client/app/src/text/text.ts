/**
 * The texts of the chosen language, as signals: a view that reads them is shown again when the person chooses another one.
 * English comes with the app. Other languages, and the texts of views that load later, are loaded when they are shown.
 */
import { english, errorToWords, type Numbers, numbers, type Words } from '@geotrace/client/words'
import { signal } from '@preact/signals'
import { type First, first } from './en.ts'
import type { Later } from './en-later.ts'
import type { Language } from './language.ts'

/** Each language by its own name. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const
export type LanguageCode = keyof typeof LANGUAGES

interface Source {
  language: () => Promise<Language>
  later: () => Promise<(n: Numbers) => Later>
}
interface Shown {
  code: LanguageCode
  n: Numbers
  words: Words
  first: First
  makeLater: ((n: Numbers) => Later) | undefined
  later: Later | undefined
}

const ENGLISH: Language = { locale: 'en', dir: 'ltr', words: english, first }
const SOURCES: Readonly<Record<LanguageCode, Source>> = {
  en: { language: async () => ENGLISH, later: async () => (await import('./en-later.ts')).later },
  de: {
    language: async () => (await import('./de.ts')).de,
    later: async () => (await import('./de-later.ts')).later,
  },
}
const STORED = 'geotrace-language'

const shown = signal<Shown>(toShown('en', ENGLISH, 'en', undefined))

/** The formats of numbers, dates and units. */
export const format = (): Numbers => shown.value.n
/** Statuses, exposures, refusals and errors. */
export const words = (): Words => shown.value.words
/** The texts of the shell, the first visit and the map. */
export const texts = (): First => shown.value.first
export const languageCode = (): LanguageCode => shown.value.code
export const errorText = (error: unknown): string => errorToWords(words(), error)

/** The texts of the other views. Throws TypeError before `loadLater`. */
export function later(): Later {
  const { value } = shown
  if (value.later === undefined) throw new TypeError('the texts of this view expected to be loaded')
  return value.later
}

/** Loads a view together with its texts. */
export async function withLater<T>(view: Promise<T>): Promise<T> {
  const { code, makeLater } = shown.peek()
  if (makeLater === undefined) {
    const make = await SOURCES[code].later()
    const now = shown.peek()
    if (now.code === code) shown.value = { ...now, makeLater: make, later: make(now.n) }
  }
  return view
}

/** Shows the language that the person chose here, else the first one of the browser that the app has. */
export async function openLanguage(): Promise<void> {
  const wanted = [localStorage.getItem(STORED) ?? '', ...navigator.languages].map((tag) => tag.split('-')[0]!)
  const code = wanted.find((base): base is LanguageCode => base in LANGUAGES) ?? 'en'
  // Without a network, a language that was never loaded gives way to English.
  await show(code).catch(() => show('en'))
}

export async function chooseLanguage(code: LanguageCode): Promise<void> {
  await show(code)
  localStorage.setItem(STORED, code)
}

async function show(code: LanguageCode): Promise<void> {
  const { language, later: loadTexts } = SOURCES[code]
  const [spoken, makeLater] = await Promise.all([
    language(),
    shown.peek().makeLater === undefined ? undefined : loadTexts(),
  ])
  // The region of the browser decides between 13:00 and 1 pm.
  const region = navigator.languages.find((tag) => tag.split('-')[0] === spoken.locale)
  shown.value = toShown(code, spoken, region ?? spoken.locale, makeLater)
  document.documentElement.lang = spoken.locale
  document.documentElement.dir = spoken.dir
}

function toShown(
  code: LanguageCode,
  language: Language,
  locale: string,
  makeLater: ((n: Numbers) => Later) | undefined,
): Shown {
  const n = numbers(locale)
  return { code, n, words: language.words(n), first: language.first(n), makeLater, later: makeLater?.(n) }
}

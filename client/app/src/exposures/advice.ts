/**
 * The advice that the authority writes in advice.json, beside the app. Degree and certainty choose a rule, and the day of the
 * exposure gives the dates. Pure, but for the loading.
 */
import type { Certainty, Exposure } from '@geotrace/client'
import { useEffect, useState } from 'preact/hooks'
import { languageCode } from '../text/text.ts'

interface Step {
  /** `{date}` becomes the date of `day`. */
  text: string
  /** Days after the day of the exposure. */
  day?: number
  /** The text when that day is over. Without it the step is left out then. */
  late?: string
}
interface Rule {
  degrees: [from: number, to: number]
  certainty: Certainty[]
  title: string
  steps: Step[]
}
export interface Advice {
  /** BCP 47: the language of these texts. */
  language: string
  exposed: Rule[]
  reported: { title: string; steps: string[] }
  authority: string
}
export interface DatedAdvice {
  title: string
  steps: string[]
}

/** The advice in the person's language, else in the first language of the file. */
export function useAdvice(): Advice | undefined {
  const [all, setAll] = useState<readonly Advice[]>([])
  const code = languageCode()
  useEffect(() => {
    fetch('/advice.json')
      .then((response) => response.json() as Promise<Advice[]>)
      .then(setAll, () => undefined)
  }, [])
  return all.find(({ language }) => language === code) ?? all[0]
}

/** The first rule for this degree and certainty; undefined when the authority wrote none. */
export function toDatedAdvice(
  { exposed }: Pick<Advice, 'exposed'>,
  { degree, certainty, from }: Pick<Exposure, 'degree' | 'certainty' | 'from'>,
  nowMs: number,
  toDay: (at: number) => string,
): DatedAdvice | undefined {
  const rule = exposed.find(
    ({ degrees, certainty: sure }) => degree >= degrees[0] && degree <= degrees[1] && sure.includes(certainty),
  )
  if (rule === undefined) return undefined
  return { title: rule.title, steps: rule.steps.flatMap((step) => toDatedStep(step, from, nowMs, toDay) ?? []) }
}

function toDatedStep(
  { text, day: days, late }: Step,
  from: number,
  nowMs: number,
  toDay: (at: number) => string,
): string | undefined {
  if (days === undefined) return text
  const met = new Date(from)
  const due = new Date(met.getFullYear(), met.getMonth(), met.getDate() + days)
  const isOver = new Date(due.getFullYear(), due.getMonth(), due.getDate() + 1).getTime() <= nowMs
  return isOver ? late : text.replace('{date}', toDay(due.getTime()))
}

/**
 * Runs attacks one after the other in one federation for each world and setting, apart from those that need their own. An error of an attack fails the run,
 * because a missing figure is no good news.
 */
import type { Attack, Figure, NotRun } from './attack.ts'
import { openLab } from './lab.ts'
import type { Scene } from './scene.ts'
import { SETTINGS, type Setting, type SettingName } from './settings.ts'

export interface Result {
  readonly attack: string
  readonly world: string
  readonly setting: SettingName
  readonly outcome: Figure | NotRun
}

/** One who stays and one who moves. */
const ALONE_PEOPLE = 2

interface RunInit {
  readonly attacks: readonly Attack[]
  readonly worlds: readonly Scene[]
  readonly settings?: readonly Setting[]
  progress(text: string): void
}

export async function runAttacks({ attacks, worlds, settings = SETTINGS, progress }: RunInit): Promise<Result[]> {
  const results: Result[] = []
  for (const world of worlds) {
    for (const setting of settings) {
      const note = (attack: Attack, outcome: Figure | NotRun) =>
        void results.push({ attack: attack.name, world: world.name, setting: setting.name, outcome })
      const together = attacks.filter(({ isAlone }) => isAlone !== true)
      if (together.length > 0) await inLab(setting, world, together, note, progress)
      const few = { ...world, people: world.people.slice(0, ALONE_PEOPLE) }
      for (const attack of attacks) if (attack.isAlone) await inLab(setting, few, [attack], note, progress)
    }
  }
  return results
}

async function inLab(
  setting: Setting,
  world: Scene,
  attacks: readonly Attack[],
  note: (attack: Attack, outcome: Figure | NotRun) => void,
  progress: (text: string) => void,
): Promise<void> {
  progress(`${world.name}, ${setting.name}: founding, and ${world.people.length} people live an hour …`)
  const lab = await openLab(setting, world)
  try {
    for (const attack of attacks) {
      progress(`${world.name}, ${setting.name}: ${attack.name} ${attack.title} …`)
      note(attack, await attack.run(lab))
    }
  } finally {
    await lab.close()
  }
}

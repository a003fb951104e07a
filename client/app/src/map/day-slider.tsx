/** Chooses the days that the map shows: all of them, or one. */
import { format, texts } from '../text/text.ts'

interface DaySliderProps {
  midnights: readonly number[]
  /** The index of the day; -1: all days. */
  chosen: number
  onChoose: (index: number) => void
}

export function DaySlider({ midnights, chosen, onChoose }: DaySliderProps) {
  const { map } = texts()
  const text = chosen < 0 ? map.allDays : format().day(midnights[chosen]!)
  // The right end shows all days, and each step to the left goes back by one.
  return (
    <label class="day-slider">
      <span>{text}</span>
      <input
        type="range"
        min={0}
        max={midnights.length}
        value={chosen < 0 ? midnights.length : chosen}
        aria-label={map.day}
        aria-valuetext={text}
        onInput={(event) => {
          const value = Number(event.currentTarget.value)
          onChoose(value === midnights.length ? -1 : value)
        }}
      />
    </label>
  )
}

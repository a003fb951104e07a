/** The field for a code of the authority: typed, pasted or scanned. */
import { later } from '../text/text.ts'
import { Scanner } from './scanner.tsx'

interface Props {
  id: string
  label: string
  code: string
  onCode: (code: string) => void
}

export function CodeField({ id, label, code, onCode }: Props) {
  const help = `${id}-help`
  const change = (text: string) => onCode(toCode(text))
  return (
    <>
      <label for={id}>{label}</label>
      <input
        id={id}
        class="mono code"
        value={code}
        onInput={(event) => change(event.currentTarget.value)}
        placeholder="XXXX-XXXX-XXXX-XXXX"
        translate={false}
        autocomplete="one-time-code"
        autocapitalize="characters"
        spellcheck={false}
        maxLength={19}
        required
        aria-describedby={help}
      />
      <p id={help} class="small">
        {later().report.codeHelp}
      </p>
      <Scanner onCode={change} />
    </>
  )
}

/** Formats text as codes are printed: upper case, in groups of four. */
export function toCode(text: string): string {
  const letters = text
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
    .slice(0, 16)
  return letters.replaceAll(/(.{4})(?=.)/g, '$1-')
}

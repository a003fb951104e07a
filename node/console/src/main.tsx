/** Entry of the console: signs in with the code of the link, then draws. */
import { render } from 'preact'
import { signIn } from './control.ts'
import { Shell } from './shell.tsx'
import './style.css'

const root = document.getElementById('console')!
await signIn()
root.replaceChildren()
render(<Shell />, root)

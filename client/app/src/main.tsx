/** The web app's entry: shows the shell, opens the session in parallel, and registers the service worker. */
import { render } from 'preact'
import { App } from './app.tsx'
import { openSession } from './session/session.ts'
import { openLanguage } from './text/text.ts'
import './styles/base.css'
import './styles/shell.css'
import './styles/pieces.css'

const host = document.getElementById('app')!
void openSession()
await openLanguage()
host.replaceChildren()
render(<App />, host)
if ('serviceWorker' in navigator && import.meta.env.PROD) void navigator.serviceWorker.register('/service-worker.js')

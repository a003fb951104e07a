/** Builds the console of the authority (`npm run build`). The central peer serves it on loopback (admin/console-files.ts). */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { WEB_PAGE } from '../../scripts/web-page.ts'

export default defineConfig({ ...WEB_PAGE, root: dirname(fileURLToPath(import.meta.url)) })

/** `prepack` of each package: puts the repository's LICENSE into the tarball. The copy is not in git. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.js'

copyFileSync(join(root, 'LICENSE'), join(process.cwd(), 'LICENSE'))

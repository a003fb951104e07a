/** `npm run check`: types, lint and format. What the repository promises about itself is in `tidy.test.ts`. */
import { lint, setUp } from './setup.js'

setUp()
lint()

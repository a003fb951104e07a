/** The settings of Vite that the web app and the console of the authority share. */
import type { UserConfig } from 'vite'

export const WEB_PAGE = {
  // Read the sources, as the tests do, so that the packages need not be built first.
  resolve: { conditions: ['source', 'browser', 'module', 'import', 'default'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Pages need Web Locks, WebAssembly, class fields and top-level await: Chromium 100, Firefox 100, Safari 15.4.
    target: ['chrome100', 'firefox100', 'safari15.4'],
    // Inlined files would be data: URLs, which the content security policy refuses for scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
} satisfies UserConfig

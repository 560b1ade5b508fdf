"""JavaScript and TypeScript projects on Node.js: manager, scripts, versions."""

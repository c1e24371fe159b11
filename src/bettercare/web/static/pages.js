// Starts the components of the design system, and again on parts of the page that htmx puts in.
import { initAll } from './vendor/nhsuk-frontend.js'

document.body.classList.add('nhsuk-frontend-supported')
initAll()
document.body.addEventListener('htmx:load', (event) => {
  if (event.detail.elt !== document.body) initAll({ scope: event.detail.elt })
})

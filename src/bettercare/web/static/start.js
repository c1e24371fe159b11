// Run before the page is drawn: tells the style sheet that scripts work, so that what needs them is shown.
if ('noModule' in HTMLScriptElement.prototype) document.documentElement.classList.add('nhsuk-frontend-supported')

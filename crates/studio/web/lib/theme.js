// Light, dark or as the system says, before anything is shown. No module: those run after the page is drawn.
(() => {
  const root = document.documentElement;
  root.classList.add('js');
  let theme = 'auto';
  try { theme = localStorage.getItem('theme') || 'auto'; } catch { /* storage is off: the system decides */ }
  root.dataset.theme = theme;
})();

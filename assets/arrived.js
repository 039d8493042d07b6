/* What is to be done once with elements as they come: the style has them begin an animation
   (assets/theme.css), which costs nothing while nothing comes. */
(() => {
  /* Before each list Dash has an input that only hands the focus on, and hides it from those who hear
     the page: the list's own button takes the keyboard itself. */
  const focusable = (input) => {
    const button = input.parentElement.querySelector("button");
    if (!button) return;
    input.hidden = true;
    button.tabIndex = 0;
  };
  document.addEventListener("animationstart", ({ animationName, target }) => {
    if (animationName !== "arrived") return;
    if (target.matches("[data-formats]")) window.uploadSummary.build(target);
    else if (target.matches(".dash-dropdown-content")) window.spendscope.openedPicker(target);
    else focusable(target);
  });
})();

"""Russian, in the words of Blender's own interface: арматура, кость, поза, ключевой кадр."""

LABELS = {
    "Add Drawings...": "Добавить рисунки...",
    "Add Frames to List": "Добавить кадры в список",
    "Add Mannequin": "Добавить манекен",
    "Choose Bone": "Выбрать кость",
    "Choose Figure": "Выбрать фигуру",
    "Clear Reference": "Сбросить опорную позу",
    "Export BVH": "Экспорт BVH",
    "Export JSON": "Экспорт JSON",
    "Export Croquis Pose (.bvh)": "Экспорт позы Croquis (.bvh)",
    "Export Croquis Pose (.json)": "Экспорт позы Croquis (.json)",
    "Croquis Pose (.bvh)": "Поза Croquis (.bvh)",
    "Croquis Pose (.json)": "Поза Croquis (.json)",
    "Drawing's View": "Вид рисунка",
    "First Reading": "Самая вероятная трактовка",
    "Flip Limb": "Развернуть конечность",
    "From Grease Pencil": "Из Grease Pencil",
    "From Render": "Из рендера",
    "From Viewport": "Из вьюпорта",
    "Hide Joint": "Скрыть сустав",
    "Insert Keyframes": "Вставить ключевые кадры",
    "Load Pose": "Загрузить позу",
    "Look at Pose": "Осмотреть позу",
    "Match Anew": "Сопоставить заново",
    "Mirror": "Отразить",
    "Move Drawing": "Переместить рисунок",
    "Move Joint": "Передвинуть сустав",
    "Next Reading": "Следующая трактовка",
    "Open Drawing": "Открыть рисунок",
    "Pose Sequence": "Позы по последовательности",
    "Pose from Model Sheet": "Поза по листу персонажа",
    "Pose from Sketch": "Поза по рисунку",
    "Previous Reading": "Предыдущая трактовка",
    "Remove Drawing": "Убрать рисунок",
    "Render Dataset": "Рендер набора данных",
    "Reset All Joints": "Сбросить все суставы",
    "Reset Joint": "Сбросить сустав",
    "Save to Pose Library": "Сохранить в библиотеку поз",
    "Show Contact Sheet": "Показать контактный лист",
    "Side View": "Вид сбоку",
    "Use Pose as Reference": "Взять позу за опорную",
}

TEXTS = {
    # Panels
    "Bones": "Кости",
    "Cameras": "Камеры",
    "Character": "Персонаж",
    "Chosen by Hand": "Выбраны вручную",
    "Dataset": "Набор данных",
    "Drawing": "Рисунок",
    "Fix Mapping": "Исправить сопоставление",
    "Found by Shape": "Найдены по форме",
    "Keep": "Сохранение",
    "Mannequin": "Манекен",
    "Pose": "Поза",
    "Poses and Figures": "Позы и фигуры",
    "Readings": "Трактовки",
    "Reference": "Референс",
    "Run": "Запуск",
    "Several Drawings": "Несколько рисунков",
    "Style": "Стиль",
    "{}, {} of {} bones": "{}, костей: {} из {}",
    "{} of {}": "{} из {}",
    "Faces us": "Лицом к нам",
    "Turned away": "Спиной к нам",
    "In Front": "Спереди",
    "Behind": "Сзади",
    "Left and right unsure": "Лево и право под вопросом",
    "Shift-click to choose several": "Shift + щелчок — выбрать несколько",
    # Limbs
    "Trunk": "Туловище",
    "Left Arm": "Левая рука",
    "Left Forearm": "Левое предплечье",
    "Right Arm": "Правая рука",
    "Right Forearm": "Правое предплечье",
    "Left Leg": "Левая нога",
    "Left Shin": "Левая голень",
    "Right Leg": "Правая нога",
    "Right Shin": "Правая голень",
    "Arms": "Руки",
    "Legs": "Ноги",
    "Arms and Legs": "Руки и ноги",
    # Settings
    "Apply To": "Применить к",
    "Which bones take over the pose; the others stay as they are": (
        "Какие кости примут позу; остальные не изменятся"
    ),
    "Whole Rig": "Весь риг",
    "All bones of the trunk and the limbs": "Все кости туловища и конечностей",
    "Selected Bones Only": "Только выделенные кости",
    "Those of them that are selected in Pose Mode": "Те из них, что выделены в режиме позы",
    "Upper Body": "Верхняя часть тела",
    "The spine, the head and the arms": "Позвоночник, голова и руки",
    "Lower Body": "Нижняя часть тела",
    "The hips, with the place of the character, and the legs": (
        "Таз вместе с положением персонажа и ноги"
    ),
    "Influence": "Влияние",
    (
        "How far the bones go from the pose that they had before the drawing: at 1 they are posed "
        "as drawn, at 0.5 they stop half way"
    ): (
        "Насколько кости отходят от позы, бывшей до рисунка: при 1 поза как на рисунке, при 0.5 "
        "кости останавливаются на полпути"
    ),
    "Insert Keyframes": "Вставлять ключевые кадры",
    "Insert keyframes for the pose at the current frame": (
        "Вставлять ключевые кадры позы в текущем кадре"
    ),
    "Look through Camera": "Смотреть через камеру",
    "See the posed character over the drawing, through the drawing's own camera": (
        "Видеть персонажа поверх рисунка, через камеру самого рисунка"
    ),
    "Stretch Limbs": "Растягивать конечности",
    "Make arms and legs as long as they are drawn; otherwise all bones keep their lengths": (
        "Сделать руки и ноги такой длины, как на рисунке; иначе все кости сохраняют свою длину"
    ),
    "Joints": "Суставы",
    (
        "Show the joints that were found over the drawing: drag one and the character follows, "
        "click one for more. Blue is left, red is right; a ring was only guessed"
    ): (
        "Показывать найденные суставы поверх рисунка: потяните один — и персонаж последует, "
        "щёлкните — появится меню. Синие — левые, красные — правые; кольцо — лишь догадка"
    ),
    "In the Scene": "В сцене",
    "As a reference image behind the character, from all sides": (
        "Как референс позади персонажа, видимый со всех сторон"
    ),
    "In the Camera": "В камере",
    "As a background of the drawing's camera only": "Только как фон камеры рисунка",
    "Whether the drawing lies behind the character or before it": (
        "Лежит ли рисунок позади персонажа или перед ним"
    ),
    "The character covers the drawing": "Персонаж заслоняет рисунок",
    "The drawing covers the character": "Рисунок заслоняет персонажа",
    "How much of the drawing shows": "Насколько видно рисунок",
    "Armature": "Арматура",
    "Character to pose; without one, Croquis adds its mannequin": (
        "Персонаж, которому задаётся поза; если он не выбран, Croquis добавит манекен"
    ),
    "Picture of the figure whose pose is wanted": "Изображение фигуры, чья поза нужна",
    "Figure": "Фигура",
    "Which figure of the drawing is posed: 1 is the largest": (
        "По какой фигуре рисунка ставится поза: 1 — самая крупная"
    ),
    "Sequence": "Последовательность",
    "Model Sheet": "Лист персонажа",
    "Smoothness": "Плавность",
    "Network": "Нейросеть",
    (
        "ONNX file to find keypoints with, its card (.json) beside it; empty: the network that "
        "comes with Croquis"
    ): (
        "Файл ONNX для поиска ключевых точек, рядом с ним — его карточка (.json); если пусто — "
        "сеть из поставки Croquis"
    ),
    "Threads": "Потоки",
    "Pose Library": "Библиотека поз",
    "Asset library that receives saved poses; empty: the current file": (
        "Библиотека ассетов, куда сохраняются позы; если пусто — текущий файл"
    ),
    # Dataset
    "Characters": "Персонажи",
    "Animations": "Анимации",
    "Output": "Вывод",
    "Frame Step": "Шаг кадров",
    "Poses per Clip": "Поз на клип",
    "Pose Noise": "Шум позы",
    "Figures Min": "Фигур от",
    "Vary Proportions": "Менять пропорции",
    "Props and Ground": "Реквизит и земля",
    "Random Cameras": "Случайные камеры",
    "Exaggerate Limbs": "Утрировать конечности",
    "Styles": "Стили",
    "Ink": "Инструмент",
    "Write Pictures": "Записывать картинки",
    "Labels": "Разметка",
    "Hold Out": "Отложить",
    "Limit": "Предел",
    "Workers": "Процессы",
    # Tooltips
    "Add a wooden mannequin and choose it as the character to pose": (
        "Добавить деревянный манекен и выбрать его персонажем"
    ),
    "Pose the character like the figure in the drawing": (
        "Поставить персонажа в позу фигуры на рисунке"
    ),
    "Choose the bone that stands for this part of the body; none leaves it out": (
        "Выбрать кость, отвечающую за эту часть тела; пустое поле исключает её"
    ),
    "Forget the bones chosen by hand, and find them by their names and places": (
        "Забыть выбранные вручную кости и найти их по именам и расположению"
    ),
    "Look at the character through the drawing's camera": (
        "Посмотреть на персонажа через камеру рисунка"
    ),
    "Look at the character from the side, at what the drawing does not show": (
        "Посмотреть на персонажа сбоку — на то, чего рисунок не показывает"
    ),
    "Pose the next likeliest way to read the drawing in depth": (
        "Поставить следующую по вероятности трактовку глубины рисунка"
    ),
    "Pose the likelier way to read the drawing that comes before this one": (
        "Поставить предыдущую, более вероятную трактовку рисунка"
    ),
    "Pose the likeliest way to read the drawing again": (
        "Вернуться к самой вероятной трактовке рисунка"
    ),
    (
        "Take the drawn left limbs for the right ones, and the right ones for the left: a figure "
        "that faced us then often turns its back"
    ): (
        "Принять левые конечности на рисунке за правые, а правые за левые: фигура, стоявшая к нам "
        "лицом, при этом часто поворачивается спиной"
    ),
    (
        "Insert keyframes for the character's trunk and limbs at the current frame, but none on "
        "locked channels"
    ): (
        "Вставить в текущем кадре ключевые кадры для туловища и конечностей персонажа, кроме "
        "заблокированных каналов"
    ),
    (
        "Save the character's pose as an asset with the drawing as its thumbnail, in this file or "
        "in the asset library that is chosen in the preferences of Croquis"
    ): (
        "Сохранить позу персонажа как ассет с рисунком в качестве миниатюры — в этом файле или в "
        "библиотеке ассетов, выбранной в настройках Croquis"
    ),
    "Pose the character as the drawing of a pose file (.json) shows it": (
        "Поставить персонажа в позу из файла позы (.json)"
    ),
    "Add picture files to the list, several at once, in the order of their names": (
        "Добавить в список файлы изображений, сразу несколько, в порядке имён"
    ),
    "Pose the character as all drawings of the list show it together": (
        "Поставить персонажа в позу по всем рисункам списка вместе"
    ),
    (
        "Open a picture or a film as the drawing; several pictures go to the list of several "
        "drawings"
    ): ("Открыть изображение или видео как рисунок; несколько изображений попадут в список"),
    "Use the last render as the drawing": "Взять последний рендер как рисунок",
    (
        "Use what this viewport shows as the drawing: on white, without grid, bones and other "
        "helpers"
    ): ("Взять как рисунок то, что видно в этом вьюпорте: на белом, без сетки, костей и прочего"),
    "Drag the joint to where it is in the drawing, and the character follows. Click it for more": (
        "Перетащите сустав туда, где он на рисунке, и персонаж последует. Щелчок откроет меню"
    ),
    "Put a joint back to where Croquis has found it in the drawing": (
        "Вернуть сустав туда, где его нашёл на рисунке Croquis"
    ),
    "Put all joints back to where Croquis has found them in the drawing": (
        "Вернуть все суставы туда, где их нашёл на рисунке Croquis"
    ),
    # Sentences
    "Add drawings first.": "Сначала добавьте рисунки.",
    "Add two drawings of the pose or more.": "Добавьте хотя бы два рисунка этой позы.",
    "Choose a drawing first.": "Сначала выберите рисунок.",
    "Choose an armature first.": "Сначала выберите арматуру.",
    "Choose an armature in the Croquis panel first.": (
        "Сначала выберите арматуру на панели Croquis."
    ),
    "Choose an armature and select bones of it, or apply the pose to the whole rig.": (
        "Выберите арматуру и выделите её кости или примените позу ко всему ригу."
    ),
    "Select bones of “{}” in Pose Mode, or apply the pose to the whole rig.": (
        "Выделите кости «{}» в режиме позы или примените позу ко всему ригу."
    ),
    (
        "Select bones of “{}” that belong to its trunk or limbs, or apply the pose to the whole "
        "rig."
    ): (
        "Выделите кости «{}», относящиеся к туловищу или конечностям, или примените позу ко всему "
        "ригу."
    ),
    "Go back to Object Mode first.": "Сначала вернитесь в режим объекта.",
    "Go back to Object Mode or Pose Mode first.": (
        "Сначала вернитесь в режим объекта или в режим позы."
    ),
    "“{}” is linked from a library; make a library override first.": (
        "«{}» — связанный объект из библиотеки; сначала создайте переопределение."
    ),
    "“{}” is not an armature; choose an armature.": "«{}» не арматура; выберите арматуру.",
    "“{}” is not in this view layer; choose another armature.": (
        "«{}» нет в этом слое визуализации; выберите другую арматуру."
    ),
    "“{}” has no drawing yet; press Pose from Sketch first.": (
        "У «{}» ещё нет рисунка; сначала нажмите «Поза по рисунку»."
    ),
    "“{}” has a zero or negative scale; apply its scale (Ctrl+A) first.": (
        "У «{}» нулевой или отрицательный масштаб; сначала примените масштаб (Ctrl+A)."
    ),
    "Pose a character from a drawing first.": "Сначала поставьте персонажа в позу по рисунку.",
    "This works in a 3D viewport.": "Это работает в 3D-вьюпорте.",
    "A dataset is being rendered already; press Esc to stop it.": (
        "Набор данных уже рендерится; чтобы остановить, нажмите Esc."
    ),
    "Choose the folder “{}” first.": "Сначала выберите папку «{}».",
    "Nothing is drawn on this page; choose a picture with a figure on it.": (
        "На этой странице ничего не нарисовано; выберите изображение с фигурой."
    ),
    "The box around the figure is empty or endless; draw it again.": (
        "Рамка вокруг фигуры пуста или бесконечна; нарисуйте её заново."
    ),
    "There is no render yet; render the scene first (F12).": (
        "Рендера ещё нет; сначала отрендерите сцену (F12)."
    ),
    "Posed “{}”: {} of {} joints clear.": "«{}» в позе: ясно видно суставов — {} из {}.",
    "Reading {} of {}, {} likely.": "Трактовка {} из {}, вероятность {}.",
    "Inserted keyframes for {} bones at frame {}.": (
        "Вставлены ключевые кадры, костей: {}, кадр {}."
    ),
    "Found {} of {} bones.": "Найдено костей: {} из {}.",
}
